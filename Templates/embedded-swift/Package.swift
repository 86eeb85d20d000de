// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "firmware",
    dependencies: [
        .package(name: "provision", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "Firmware",
            dependencies: [
                "Board", .product(name: "DeviceProvisioning", package: "provision"),
            ],
            swiftSettings: [
                .enableExperimentalFeature("Embedded"),
                .treatAllWarnings(as: .error),
                .unsafeFlags(["-wmo"]),
            ],
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
        .target(
            name: "Board",
            dependencies: [
                "MbedTLS", .product(name: "DeviceProvisioning", package: "provision"),
            ]),
        .target(
            name: "MbedTLS",
            cSettings: [
                .headerSearchPath("../../Vendor/mbedtls"),
                .unsafeFlags(["-w"]),
            ]),
    ],
    cLanguageStandard: .c11
)
