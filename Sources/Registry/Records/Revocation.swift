public import COSE
public import Provisioning

/// When and why a key or a credential was revoked.
public struct Revocation: Sendable, Hashable {
    public let date: NumericDate
    public let reason: RevocationReason

    public init(date: NumericDate, reason: RevocationReason) {
        self.date = date
        self.reason = reason
    }
}

extension Revocation {
    /// Columns `revoked_at` and `revocation_reason`.
    static func read(_ row: inout RowReader) throws -> Revocation? {
        let date = try row.optionalDate()
        let code = try row.optionalInteger()
        guard let date else { return nil }
        guard let code, let reason = RevocationReason(rawValue: Int(code)) else {
            throw ProvisioningError(
                .registryDamaged, "\(code ?? -1) is no reason for a revocation")
        }
        return Revocation(date: date, reason: reason)
    }

    /// `"on 2026-11-21T10:00:00Z (superseded)"`.
    var phrase: String { "on \(date.utc) (\(reason.name))" }
}
