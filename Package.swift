// swift-tools-version: 6.2
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "provision",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "provision", targets: ["provision"]),
        .plugin(name: "Provision", targets: ["ProvisionPlugin"]),
        .library(name: "DeviceProvisioning", targets: ["DeviceProvisioning"]),
        .library(
            name: "Provisioning",
            targets: [
                "Provisioning", "PlatformAdapter", "Attestation", "Issuance", "SMP", "COSE", "CBOR",
            ]),
        .library(name: "ProvisioningTesting", targets: ["ProvisioningTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // Values in, values out: no I/O, clock, entropy or process.
        core("CBOR", ["CLibCBOR"]),
        core("OpenSSL", ["COpenSSL"]),
        core("COSE", ["CBOR", "OpenSSL"]),
        core("SMP", ["CBOR"]),
        core("Attestation", ["COSE", "CBOR", "OpenSSL"]),
        core("Issuance", ["COSE", "CBOR", "OpenSSL"]),

        // The flow, its ports and its errors.
        core("Provisioning", ["Attestation", "Issuance", "SMP", "COSE", "CBOR", "OpenSSL"]),

        // What `provision` and an adapter program say to each other, and the adapter's end of it.
        core("PlatformAdapter", ["Provisioning"]),

        // For authors of adapters: a board without hardware, and what a channel promises as checks.
        .target(
            name: "ProvisioningTesting",
            dependencies: ["Provisioning", "Attestation", "SMP", "COSE", "CBOR", "OpenSSL"],
            swiftSettings: strict),

        // Adapters to the world.
        core(
            "Registry",
            [
                "Provisioning", "Attestation", "Issuance", "COSE", "CBOR", "OpenSSL",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        core("Authority", ["Provisioning", "Issuance", "COSE", "CBOR", "OpenSSL"]),
        core(
            "Channels",
            [
                "Provisioning", "PlatformAdapter", "Attestation", "SMP", "COSE", "CBOR", "OpenSSL",
                "CHost", "CLibUSB",
            ]),
        core(
            "Platforms",
            [
                "Provisioning", "PlatformAdapter", "Attestation", "Issuance", "SMP", "Channels",
                "CHost", "CPlatforms", "TOMLKit",
            ]),

        // The composition root, and its doorbell.
        .executableTarget(
            name: "provision",
            dependencies: [
                "Provisioning", "Registry", "Authority", "Channels", "Platforms", "Attestation",
                "Issuance", "SMP", "COSE", "CBOR", "OpenSSL", "PlatformAdapter",
                "ProvisioningTesting", "CHost",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // Figures for the README; nothing that is installed needs it.
        .executableTarget(
            name: "provision-bench",
            dependencies: [
                "provision", "usb-probe", "JTAGProbe", "Provisioning", "Registry", "Authority",
                "Channels", "Platforms", "Attestation", "Issuance", "COSE", "CBOR", "OpenSSL",
                "COpenSSL", "CHost",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            exclude: ["Peers"],
            swiftSettings: strict),
        .plugin(
            name: "ProvisionPlugin",
            capability: .command(
                intent: .custom(
                    verb: "provision",
                    description: "Build, flash, provision and attach a board.")),
            path: "Plugins/Provision"),

        // What runs on the device.
        .target(name: "DeviceProvisioning", exclude: ["its"]),

        // C libraries, and the shim for what Swift cannot import.
        .systemLibrary(
            name: "CLibCBOR", pkgConfig: "libcbor", providers: [.apt(["libcbor-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CLibUSB", pkgConfig: "libusb-1.0", providers: [.apt(["libusb-1.0-0-dev"])]),
        .target(name: "CHost"),
        .target(name: "CPlatforms"),

        // The device library on a board in memory. Only here does it meet a host's PSA Crypto:
        // firmware links its own.
        .target(
            name: "DeviceTestHAL",
            dependencies: ["DeviceProvisioning"],
            path: "Tests/DeviceTestHAL",
            cSettings: [
                .define("DP_PSA_ITS"),
                .headerSearchPath("../../Sources/DeviceProvisioning"),
                .headerSearchPath("../../Sources/DeviceProvisioning/its"),
            ],
            linkerSettings: [.linkedLibrary("mbedcrypto", .when(platforms: [.linux, .macOS]))]),
        tests(
            "DeviceProvisioningTests",
            [
                "DeviceProvisioning", "DeviceTestHAL", "FuzzDecoders", "SMP", "Provisioning",
                "Channels", "Registry", "Authority", "Attestation", "Issuance", "COSE", "CBOR",
                "CBORJudge", "BadLine",
                "OpenSSL", "ProvisioningTesting",
            ]),

        // Properties of every decoder of foreign bytes: the tests feed it the corpus, the fuzzer
        // what it invents.
        .target(
            name: "FuzzDecoders",
            dependencies: [
                "CBOR", "COSE", "SMP", "OpenSSL", "Attestation", "Provisioning", "PlatformAdapter",
                "Channels", "Platforms", "DeviceProvisioning", "DeviceTestHAL",
            ],
            path: "Tests/Fuzz/Decoders", swiftSettings: strict),
        tests("FuzzTests", ["FuzzDecoders"]),

        .target(
            name: "CBORJudge", dependencies: ["CBOR"], path: "Tests/CBORJudge",
            swiftSettings: strict),
        tests("CBORTests", ["CBOR", "CBORJudge"]),
        .target(
            name: "OpenSSLJudge", path: "Tests/OpenSSLJudge", swiftSettings: strict),
        tests("OpenSSLTests", ["OpenSSL", "OpenSSLJudge"]),
        tests(
            "COSETests", ["COSE", "CBOR", "OpenSSL"], resources: [.copy("Vectors")]),
        // A serial line that loses bytes, and takes its time.
        .target(
            name: "BadLine", dependencies: ["CHost"], path: "Tests/BadLine",
            swiftSettings: strict),
        tests("SMPTests", ["SMP", "CBOR", "BadLine"]),
        // A chip behind a probe, for the real OpenOCD.
        .target(
            name: "JTAGProbe", dependencies: ["Channels", "Provisioning"],
            path: "Tests/JTAGProbe", swiftSettings: strict),
        tests(
            "AttestationTests", ["Attestation", "COSE", "CBOR", "OpenSSL", "BadLine"],
            resources: [.copy("Vectors"), .copy("Logs")]),
        tests("IssuanceTests", ["Issuance", "COSE", "OpenSSL"]),
        tests(
            "ProvisioningTests",
            [
                "Provisioning", "Registry", "Authority", "Attestation", "Issuance", "SMP", "COSE",
                "CBOR", "OpenSSL", "ProvisioningTesting",
            ]),
        tests(
            "RegistryTests",
            [
                "Registry", "Provisioning", "Attestation", "Issuance", "COSE", "OpenSSL",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "AuthorityTests",
            [
                "Authority", "Provisioning", "Attestation", "Issuance", "COSE", "CBOR", "OpenSSL",
                "OpenSSLJudge",
            ]),
        tests(
            "ChannelsTests",
            [
                "Channels", "Provisioning", "PlatformAdapter", "ProvisioningTesting", "Attestation",
                "SMP", "CHost", "JTAGProbe",
            ]),
        // The USB channel itself, for the guest of `Tests/USBGuest`.
        .executableTarget(
            name: "usb-probe",
            dependencies: ["Channels", "Provisioning", "ProvisioningTesting"],
            path: "Tests/USBGuest/Probe", swiftSettings: strict),
        tests(
            "EndToEndTests",
            [
                "usb-probe",
                "provision", "provision-bench", "Platforms", "Channels", "Provisioning",
                "PlatformAdapter", "Attestation", "SMP", "COSE", "CBOR", "OpenSSL",
                "ProvisioningTesting", "BadLine", "JTAGProbe",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "PlatformsTests",
            [
                "Platforms", "Provisioning", "PlatformAdapter", "Attestation", "Issuance",
                "Channels",
                "SMP",
            ],
            resources: [.copy("Vectors")]),
    ],
    cLanguageStandard: .c11
)

// What is installed has no tests, and nothing that only they use.
let testPath = Context.packageDirectory + "/Tests"
if !FileManager.default.fileExists(atPath: testPath) {
    let absent = ["provision-bench"]
    package.targets.removeAll {
        $0.type == .test || $0.path?.hasPrefix("Tests/") == true || absent.contains($0.name)
    }
}

// libFuzzer is linked into this one only, and only on demand: see Scripts/fuzz.
if Context.environment["PROVISION_FUZZ"] != nil {
    package.targets += [
        .executableTarget(
            name: "provision-fuzz", dependencies: ["FuzzDecoders"], path: "Tests/Fuzz/Fuzzer",
            swiftSettings: strict)
    ]
}
