// swift-tools-version:5.5
import PackageDescription

let package = Package(
    name: "Model",
    products: [.library(name: "Model", targets: ["Model"])],
    targets: [
        .target(
            name: "CModel",
            exclude: ["README.md", "main.c", "model.c", "model.json", "golden.json", "golden.lines", "certificate.json"], // whole.c includes model.c
            publicHeadersPath: "."
        ),
        .target(name: "Model", dependencies: ["CModel"]),
        .testTarget(name: "ModelTests", dependencies: ["Model"]),
    ]
)
