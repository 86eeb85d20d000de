import Attestation
import Channels
public import Issuance
public import Provisioning

/// What a firmware package sets for whoever works in it: its `provision.toml`. Command line and environment
/// override it.
public struct PackageSettings: Sendable {
    /// The platform where nobody names one.
    public private(set) var platform: String?
    /// Folders of platform files, which come before `platforms` of the package. Absolute, or of the working
    /// folder if the package is.
    public private(set) var platformFolders: [String] = []
    /// Path of the image, where nothing is to be built, as the folders.
    public private(set) var firmware: String?
    public private(set) var channel: Platform.ChannelSettings.Kind?
    /// Bits per second; empty: the platform's.
    public private(set) var baudRates: [Int] = []
    public private(set) var credentials: Set<CredentialType>?
    /// Days.
    public private(set) var validityDays: Int?
    /// The key in the device's key store.
    public private(set) var keyID: UInt32?
    public private(set) var timeouts: [Timeout: Duration] = [:]
    /// Path of the file; nil: there is none.
    public private(set) var origin: String?

    public static let fileName = "provision.toml"

    /// Those of a package without a file.
    public init() {}

    /// Reads the package's file, if it has one.
    ///
    /// - Parameter package: the folder of the firmware package.
    /// - Throws: `.settingsInvalid`, which names the file and, where it is known, the line. An unknown key is
    ///   an error. `.usage` where there is no such folder.
    public static func read(package: String) throws(ProvisioningError) -> PackageSettings {
        try PlatformCatalogue.requireFolder(
            package, hint: "--package-path takes the folder of a firmware package")
        let path = package == "." ? fileName : "\(package)/\(fileName)"
        do {
            guard let bytes = try PlatformDocument.readIfThere(path) else {
                return PackageSettings()
            }
            return try PackageSettings(parsing: bytes, file: path, package: package)
        } catch {
            guard error.code == .platformInvalid else { throw error }
            throw ProvisioningError(.settingsInvalid, error.reason, hint: error.hint)
        }
    }

    /// - Parameters:
    ///   - bytes: at most 64 KiB of UTF-8, TOML 1.0.
    ///   - file: what messages call it.
    /// - Throws: `.platformInvalid`.
    package init(
        parsing bytes: [UInt8], file: String, package: String
    ) throws(ProvisioningError) {
        let document = try PlatformDocument(file: file, bytes: bytes)
        let root = try PlatformSection<SettingsKey>(document.parse(), at: [], in: document)
        func path(_ text: String) -> String {
            text.hasPrefix("/") || package == "." ? text : "\(package)/\(text)"
        }
        origin = file
        platform = try root.string(.platform, atMost: 64)
        if let name = platform, !Platform.isName(name) {
            throw root.invalid(
                .platform, "\"platform\" is \"\(name)\", not [a-z0-9-]+",
                hint: "provision platforms lists those that there are")
        }
        let folders = try root.words(.platforms) ?? []
        guard folders.count <= 16, folders.allSatisfy({ (1...1024).contains($0.utf8.count) }) else {
            throw root.invalid(
                .platforms, "\"platforms\" is not a list of at most 16 folders",
                hint: "put the files of several into one folder")
        }
        platformFolders = folders.map(path)
        firmware = try root.string(.firmware, atMost: 1024).map(path)
        channel = try root.choice(.channel, of: Platform.ChannelSettings.Kind.self)
        baudRates = try root.integers(.baud, in: SerialPort.rates) ?? []
        if let names = try root.choices(.credentials, of: Credential.self) {
            guard !names.isEmpty else {
                throw root.invalid(
                    .credentials, "\"credentials\" is empty",
                    hint: "name some of \"x509\", \"cwt\" and \"trust-anchors\", or leave it away")
            }
            credentials = Set(names.map(\.type))
        }
        validityDays = try root.integer(.validityDays, in: ProvisioningPlan.validityDays)
        let keyIDs = ProvisioningPlan.keyIDs
        keyID = try root.integer(.keyID, in: Int(keyIDs.lowerBound)...Int(keyIDs.upperBound))
            .map(UInt32.init)
        if let section = try root.section(.timeouts, keys: TimeoutsKey.self) {
            for key in TimeoutsKey.allCases {
                timeouts[key.timeout] = try section.integer(key, in: 1...3_600_000).map {
                    .milliseconds($0)
                }
            }
        }
    }

    private enum Credential: String, CaseIterable {
        case x509, cwt
        case trustAnchors = "trust-anchors"

        var type: CredentialType {
            switch self {
            case .x509: .x509Chain
            case .cwt: .cwt
            case .trustAnchors: .trustAnchors
            }
        }
    }
}

/// The keys of `provision.toml`. Whatever is not here is refused.
enum SettingsKey: String, PlatformKey {
    /// A name that `provision platforms` lists. --platform, PROVISION_PLATFORM.
    case platform
    /// A folder of platform files, or a list of up to 16, relative to the package. --platforms.
    case platforms
    /// The image, relative to the package, for the platform of this file: nothing is built. --firmware,
    /// PROVISION_FIRMWARE.
    case firmware
    /// `"uart"`, `"rtt"`, `"usb"`, `"udp"` or `"adapter"`. --channel, PROVISION_CHANNEL.
    case channel
    /// Bits per second, one or a list. --baud, PROVISION_BAUD.
    case baud
    /// List of `"x509"`, `"cwt"` and `"trust-anchors"`, at least one. --credentials, PROVISION_CREDENTIALS.
    case credentials
    /// Days, 1 to 36500. --validity-days, PROVISION_VALIDITY_DAYS.
    case validityDays = "validity-days"
    /// The key in the device's key store, from 1. --key-id, PROVISION_KEY_ID.
    case keyID = "key-id"
    /// `[timeouts]`, as in a platform file. --timeout, PROVISION_TIMEOUT.
    case timeouts
}
