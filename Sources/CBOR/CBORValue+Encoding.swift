internal import CLibCBOR

extension CBORValue {
    /// The deterministic encoding, RFC 8949 §4.2.1: the shortest lengths, the shortest floats that
    /// keep the value, map keys in the bytewise order of their encodings.
    ///
    /// Every NaN is `f97e00`. Of map pairs with the same key the first is written, which is the one
    /// that the map's subscript gives.
    ///
    /// - Precondition: no `.simple` of 24 to 31, which have no encoding (RFC 8949 §3.3).
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output, allowsReserved: false)
        return output
    }

    /// The octets before the items of a definite array: for one that is too long to hold.
    ///
    /// The encodings of exactly `count` items must follow.
    public static func arrayHead(count: Int) -> [UInt8] {
        var output: [UInt8] = []
        output.appendHead { cbor_encode_array_start(count, $0, $1) }
        return output
    }

    /// - Parameter allowsReserved: Simple values without an encoding get bytes of their own, too.
    fileprivate func write(to output: inout [UInt8], allowsReserved: Bool) {
        switch self {
        case .unsigned(let number):
            output.appendHead { cbor_encode_uint(number, $0, $1) }
        case .negative(let number):
            output.appendHead { cbor_encode_negint(number, $0, $1) }
        case .bytes(let bytes):
            output.appendHead { cbor_encode_bytestring_start(bytes.count, $0, $1) }
            output += bytes
        case .text(let text):
            output.appendHead { cbor_encode_string_start(text.utf8.count, $0, $1) }
            output += text.utf8
        case .array(let items):
            output.appendHead { cbor_encode_array_start(items.count, $0, $1) }
            for item in items { item.write(to: &output, allowsReserved: allowsReserved) }
        case .map(let map):
            map.write(to: &output, allowsReserved: allowsReserved)
        case .tagged(let number, let value):
            output.appendHead { cbor_encode_tag(number, $0, $1) }
            value.write(to: &output, allowsReserved: allowsReserved)
        case .simple(let number):
            precondition(
                allowsReserved || !(24...31).contains(number), "simple value \(number) is reserved")
            output.appendHead { cbor_encode_ctrl(number, $0, $1) }
        case .float(let number):
            output.append(shortest: number)
        }
    }
}

extension CBORMap {
    /// What equal maps have in common: their encoding.
    var identity: [UInt8] {
        var output: [UInt8] = []
        write(to: &output, allowsReserved: true)
        return output
    }

    fileprivate func write(to output: inout [UInt8], allowsReserved: Bool) {
        // One buffer for all keys: most of an encoder's time goes into allocations.
        var keys: [UInt8] = []
        var entries: [(key: Range<Int>, index: Int)] = []
        entries.reserveCapacity(pairs.count)
        var isSorted = true
        for (index, pair) in pairs.enumerated() {
            let start = keys.count
            pair.key.write(to: &keys, allowsReserved: allowsReserved)
            let key = start..<keys.count
            if let last = entries.last {
                isSorted = isSorted && keys[last.key].lexicographicallyPrecedes(keys[key])
            }
            entries.append((key, index))
        }
        if !isSorted { Self.sort(&entries, keys) }
        output.appendHead { cbor_encode_map_start(entries.count, $0, $1) }
        for entry in entries {
            output += keys[entry.key]
            pairs[entry.index].value.write(to: &output, allowsReserved: allowsReserved)
        }
    }

    /// Bytewise by key, and of the same key only the first.
    private static func sort(_ entries: inout [(key: Range<Int>, index: Int)], _ keys: [UInt8]) {
        entries.sort { one, other in
            if keys[one.key] == keys[other.key] { return one.index < other.index }
            return keys[one.key].lexicographicallyPrecedes(keys[other.key])
        }
        var written: ArraySlice<UInt8>?
        entries.removeAll { entry in
            defer { written = keys[entry.key] }
            return keys[entry.key] == written
        }
    }
}

extension [UInt8] {
    /// Appends what one of libcbor's encoders writes: at most 9 bytes.
    fileprivate mutating func appendHead(
        _ encode: (UnsafeMutablePointer<UInt8>?, Int) -> Int
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 9) { buffer in
            buffer.initialize(repeating: 0)
            let length = encode(buffer.baseAddress, buffer.count)
            append(contentsOf: buffer.prefix(length))
        }
    }

    fileprivate mutating func append(shortest number: Double) {
        if number.fitsBinary16 {
            // libcbor 0.8 rounds subnormals to powers of two.
            let bits = number.binary16BitPattern
            append(contentsOf: [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
        } else if Double(Float(number)) == number {
            appendHead { cbor_encode_single(Float(number), $0, $1) }
        } else {
            appendHead { cbor_encode_double(number, $0, $1) }
        }
    }
}

extension Double {
    /// Whether IEEE 754 binary16 holds the value: exponents −24 (subnormal) to 15, and 10 bits of
    /// significand of which each step below −14 costs one.
    fileprivate var fitsBinary16: Bool {
        guard isFinite, !isZero else { return true }
        return (-24...15).contains(exponent)
            && significandWidth <= Swift.min(10, Int(exponent) + 24)
    }

    /// - Precondition: `fitsBinary16`.
    fileprivate var binary16BitPattern: UInt16 {
        let sign: UInt16 = self.sign == .minus ? 0x8000 : 0
        if isNaN { return 0x7E00 }
        if isInfinite { return sign | 0x7C00 }
        if magnitude < 0x1p-14 { return sign | UInt16(magnitude * 0x1p24) }
        let biased = UInt16(exponent + 15) << 10
        return sign | biased | UInt16((significand - 1) * 0x1p10)
    }
}
