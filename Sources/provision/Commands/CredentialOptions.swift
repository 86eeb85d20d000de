import ArgumentParser
import Issuance
import Platforms
import Provisioning

/// What the device gets, and what may be taken from it.
struct CredentialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the device gets, instead of what the platform says: x509,cwt,trust-anchors.",
            valueName: "types"),
        transform: Self.types)
    var credentials: Set<CredentialType>?

    @Option(
        help: ArgumentHelp("Days until the credentials end. Default: no end.", valueName: "days"),
        transform: Self.days)
    var validityDays: Int?

    @Option(
        help: ArgumentHelp("The key in the device's key store.", valueName: "id"),
        transform: Self.keyID)
    var keyID: UInt32?

    @Flag(
        help: "Vouch that the new key replaces the device's earlier one, where nothing proves it.")
    var replaceKey = false

    @Flag(
        help: "Believe the clock, though the registry changed at a later time than it shows.")
    var acceptClock = false

    func plan(for platform: Platform, _ connection: Connection) throws -> ProvisioningPlan {
        var plan = ProvisioningPlan(for: platform, connection.link)
        plan.device = connection.device
        plan.keyID = keyID
        plan.credentials = credentials ?? platform.credentials.types
        plan.validity = (validityDays ?? platform.credentials.validityDays).map {
            Int64($0) * 86400
        }
        plan.replacesKey = replaceKey
        return plan
    }

    static func days(_ text: String) throws -> Int {
        let allowed = ProvisioningPlan.validityDays
        guard let days = Int(text), allowed.contains(days) else {
            throw ValidationError(
                "--validity-days is \(allowed.lowerBound) to \(allowed.upperBound), not \(text)")
        }
        return days
    }

    static func keyID(_ text: String) throws -> UInt32 {
        let allowed = ProvisioningPlan.keyIDs
        guard let id = UInt32(text), allowed.contains(id) else {
            throw ValidationError(
                "--key-id is \(allowed.lowerBound) to \(allowed.upperBound), not \(text)")
        }
        return id
    }

    static func types(_ text: String) throws -> Set<CredentialType> {
        guard text.contains(where: { $0 != "," }) else {
            throw ValidationError("--credentials names none")
        }
        return Set(
            try text.split(separator: ",").map { word in
                guard let type = CredentialType.allCases.first(where: { $0.name == word }) else {
                    throw ValidationError(
                        "\"\(word)\" is no credential; there are "
                            + CredentialType.allCases.map(\.name).joined(separator: ", "))
                }
                return type
            })
    }
}
