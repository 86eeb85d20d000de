import ArgumentParser
import Attestation
import Channels
import Foundation
import Issuance
import Platforms
import Provisioning

/// What stands where the user gave no option: the environment's answer, and else the firmware package's, in
/// its `provision.toml`. The platform file's, or a built-in one, is what is left then.
struct Defaults {
    private let settings: PackageSettings
    private let environment: [String: String]

    /// - Throws: `.settingsInvalid`.
    init(
        packagePath: String,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ProvisioningError) {
        settings = try PackageSettings.read(package: packagePath)
        self.environment = environment
    }

    /// - Throws: `.usage` for a variable whose value is none, naming it.
    func fill(_ options: inout PlatformOptions) throws {
        options.platform = try options.platform ?? variable("PLATFORM") { $0 } ?? settings.platform
    }

    /// - Parameters:
    ///   - platform: with its defaults filled in: the package's image is for the package's platform.
    ///   - given: one with an image of its own flashes another than the package's.
    func fill(
        _ image: inout ImageOptions, for platform: PlatformOptions, given: GivenFlash? = nil
    ) throws {
        if image.firmware != nil { return }
        image.firmware = try variable("FIRMWARE") { $0 }
        guard image.firmware == nil, !image.noBuild, given?.hasOwnImage != true else { return }
        if settings.platform == nil || settings.platform == platform.platform {
            image.firmware = settings.firmware
        }
    }

    func fill(_ connection: inout ConnectionOptions) throws {
        // What the user says of the port is about another channel than the package has.
        if connection.channel == nil, connection.port == nil {
            connection.channel =
                try variable("CHANNEL") { text in
                    guard let kind = Platform.ChannelSettings.Kind(rawValue: text) else {
                        let known = Platform.ChannelSettings.Kind.allCases.map(\.rawValue)
                        throw ValidationError("there are \(known.joined(separator: ", "))")
                    }
                    return kind
                } ?? settings.channel
        }
        if connection.link.baud == nil {
            let own = settings.baudRates.isEmpty ? nil : settings.baudRates.map(UInt32.init)
            connection.link.baud = try variable("BAUD", LinkOptions.rates) ?? own
        }
        // Of several for one name, the last counts.
        let given = try variable("TIMEOUT") { text in
            try text.split(separator: ",").map { try TimeoutSetting(String($0)) }
        }
        connection.link.timeout =
            settings.timeouts.map { TimeoutSetting($0, $1) } + (given ?? [])
            + connection.link.timeout
    }

    func fill(_ options: inout CredentialOptions) throws {
        options.credentials =
            try options.credentials ?? variable("CREDENTIALS", CredentialOptions.types)
            ?? settings.credentials
        options.validityDays =
            try options.validityDays
            ?? variable("VALIDITY_DAYS", CredentialOptions.days) ?? settings.validityDays
        options.keyID =
            try options.keyID ?? variable("KEY_ID", CredentialOptions.keyID) ?? settings.keyID
    }

    /// An empty variable is none.
    private func variable<Value>(
        _ name: String, _ parse: (String) throws -> Value
    ) throws -> Value? {
        let name = "PROVISION_\(name)"
        guard let text = environment[name], !text.isEmpty else { return nil }
        do {
            return try parse(text)
        } catch {
            let why = (error as? ValidationError)?.message ?? "\(error)"
            throw ProvisioningError(
                .usage, "the variable \(name) is \"\(text.prefix(80))\": \(why)",
                hint: "unset it, or give the option, which comes before it")
        }
    }
}
