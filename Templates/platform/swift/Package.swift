// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "example-adapter",
    platforms: [.macOS(.v15)],
    dependencies: [
        // In a package of your own: .package(url: "…", from: "…")
        .package(name: "provision", path: "../../..")
    ],
    targets: [
        .executableTarget(
            name: "provision-platform-example",
            dependencies: [.product(name: "Provisioning", package: "provision")]),
        .testTarget(
            name: "AdapterTests",
            dependencies: [
                "provision-platform-example",
                .product(name: "Provisioning", package: "provision"),
                .product(name: "ProvisioningTesting", package: "provision"),
            ]),
    ]
)
