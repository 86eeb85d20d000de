import Attestation
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
        let length = hexadecimal.utf8.count
        guard length.isMultiple(of: 2) else { return nil }
        var isHexadecimal = true
        var text = hexadecimal
        bytes = text.withUTF8 { digits in
            [UInt8](unsafeUninitializedCapacity: length / 2) { bytes, count in
                for index in 0..<length / 2 {
                    let high = Self.value(digits[index * 2])
                    let low = Self.value(digits[index * 2 + 1])
                    // No digit has a value above 15.
                    isHexadecimal = isHexadecimal && (high | low) < 16
                    bytes[index] = high << 4 | low & 15
                }
                count = length / 2
            }
        }
        guard isHexadecimal else { return nil }
    }

    /// 255 for what is no digit.
    private static func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: .max
        }
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
