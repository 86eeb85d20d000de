extension Sequence<UInt8> {
    /// Lower case, two digits for each octet.
    package var hexadecimal: String { Array(self).hexadecimal }
}

extension [UInt8] {
    /// Lower case, two digits for each octet.
    package var hexadecimal: String {
        String(unsafeUninitializedCapacity: count * 2) { buffer in
            Self.write(self, to: buffer)
            return buffer.count
        }
    }

    /// Appends ASCII: lower-case digits, two for each octet.
    package mutating func append(hexadecimal octets: [UInt8]) {
        self += [UInt8](unsafeUninitializedCapacity: octets.count * 2) { buffer, count in
            Self.write(octets, to: buffer)
            count = buffer.count
        }
    }

    private static func write(_ octets: [UInt8], to text: UnsafeMutableBufferPointer<UInt8>) {
        for index in octets.indices {
            text[index * 2] = digit(octets[index] >> 4)
            text[index * 2 + 1] = digit(octets[index] & 15)
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}
