import CBOR
import Foundation
import GRDB

/// Bytes: a BLOB in a table, lower-case hexadecimal in an event.
struct Octets: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Lower-case hexadecimal, two digits for each octet.
    var hexadecimal: String { bytes.hexadecimal }

    /// Nil unless `hexadecimal` is an even number of hexadecimal digits, of either case.
    init?(hexadecimal: String) {
        guard let bytes = [UInt8](hexadecimal: hexadecimal.utf8) else { return nil }
        self.bytes = bytes
    }
}

extension Octets: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hexadecimal)
    }
}

extension Octets: DatabaseValueConvertible {
    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Octets? {
        guard case .blob(let data) = value.storage else { return nil }
        return Octets(Array(data))
    }
}
