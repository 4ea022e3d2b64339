plugins {
    `java-library`
    kotlin("jvm") version "2.2.21"
}

repositories {
    mavenCentral()
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_1_8)
    }
}

tasks.withType<JavaCompile>().configureEach {
    options.encoding = "UTF-8"
}

// The model travels inside the library, where Model.bundled() finds it.
tasks.processResources {
    from("model.json") {
        into("mlwork")
    }
}

val selfTest by tasks.registering(JavaExec::class) {
    description = "Holds the model against its golden rows."
    group = "verification"
    mainClass.set("mlwork.Try")
    classpath = sourceSets.test.get().runtimeClasspath
}

tasks.test {
    enabled = false // Try is a program, no unit test
}

tasks.check {
    dependsOn(selfTest)
}
