rootProject.name = "mlwork-model"
