import COSE
import GRDB
import Provisioning

/// Strict columns: a damaged or hostile file gives an error, where GRDB's subscripts would trap.
extension Row {
    private func required<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value: Value = try optional(column) else {
            throw ProvisioningError(.registryDamaged, "column \(column) has no value")
        }
        return value
    }

    private func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        guard hasColumn(column) else {
            throw ProvisioningError(.registryDamaged, "there is no column \(column)")
        }
        let stored: DatabaseValue = self[column]
        if stored.isNull { return nil }
        guard let value = Value.fromDatabaseValue(stored) else {
            throw ProvisioningError(.registryDamaged, "column \(column) holds \(stored)")
        }
        return value
    }

    func integer(_ column: String) throws -> Int64 { try required(column) }

    func text(_ column: String) throws -> String { try required(column) }

    func optionalText(_ column: String) throws -> String? { try optional(column) }

    func octets(_ column: String) throws -> [UInt8] {
        let octets: Octets = try required(column)
        return octets.bytes
    }

    func optionalOctets(_ column: String) throws -> [UInt8]? {
        let octets: Octets? = try optional(column)
        return octets?.bytes
    }

    func date(_ column: String) throws -> NumericDate {
        NumericDate(seconds: try integer(column))
    }

    func optionalDate(_ column: String) throws -> NumericDate? {
        let seconds: Int64? = try optional(column)
        return seconds.map(NumericDate.init(seconds:))
    }

    /// One of the values of an enumeration that is stored as text.
    func choice<Choice: RawRepresentable<String>>(_ column: String) throws -> Choice {
        let text = try text(column)
        guard let choice = Choice(rawValue: text) else {
            throw ProvisioningError(.registryDamaged, "column \(column) holds \(text)")
        }
        return choice
    }
}
