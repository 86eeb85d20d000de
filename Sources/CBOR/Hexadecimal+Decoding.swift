extension UInt8 {
    /// What it means as a hexadecimal digit of ASCII, of either case. Nil: it is none.
    package var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension [UInt8] {
    /// Nil unless `digits` is an even number of hexadecimal digits of ASCII, of either case.
    package init?(hexadecimal digits: some Collection<UInt8>) {
        let octets =
            digits.withContiguousStorageIfAvailable(Self.decoded)
            ?? Array(digits).withUnsafeBufferPointer(Self.decoded)
        guard let octets else { return nil }
        self = octets
    }

    private static func decoded(_ digits: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var isHexadecimal = true
        let octets = [UInt8](unsafeUninitializedCapacity: digits.count / 2) { octets, count in
            count = digits.count / 2
            for index in 0..<count {
                // No digit has a value above 15.
                let high = digits[index * 2].hexadecimalValue ?? .max
                let low = digits[index * 2 + 1].hexadecimalValue ?? .max
                isHexadecimal = isHexadecimal && (high | low) < 16
                octets[index] = high << 4 | low & 15
            }
        }
        return isHexadecimal ? octets : nil
    }
}
