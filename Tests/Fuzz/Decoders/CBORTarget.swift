internal import CBOR

extension FuzzTarget {
    /// CBOR data items: what decodes has one deterministic encoding, and each cut of it is told.
    static let cbor = FuzzTarget("cbor") { input in
        // Limits that small inputs reach.
        let small = CBORLimits(byteCount: 4096, depth: 8, itemCount: 64)
        if let value = try? CBORValue.decode(input, limits: small) {
            try require(
                value == (try? CBORValue.decode(input)), "a lower limit made another value")
        }
        let decoded: (value: CBORValue, length: Int)
        do throws(CBORError) {
            decoded = try CBORValue.decodePrefix(input)
        } catch {
            try require((0...input.count).contains(error.offset), "the error is outside: \(error)")
            return
        }
        let (value, length) = decoded
        try require((1...input.count).contains(length), "an item of \(length) bytes")
        try require(
            (try? CBORValue.decode(input[..<length])) == value, "the item alone is another one")

        let encoding = value.encoded()
        let again = try? CBORValue.decode(encoding, form: .deterministic)
        try require(again == value, "the deterministic encoding is another value")
        try require(again?.hashValue == value.hashValue, "equal values with two hashes")
        try require(again?.encoded() == encoding, "two deterministic encodings")
        try require(encoding.count <= length, "the deterministic encoding is longer")
        let isDeterministic =
            (try? CBORValue.decode(input[..<length], form: .deterministic)) != nil
        try require(
            isDeterministic == (encoding[...] == input[..<length]),
            "deterministic: \(isDeterministic), and not its own encoding")

        // An item that is cut anywhere lacks bytes, and nothing else.
        let cut = Int(input.reduce(0) { $0 &* 31 &+ UInt32($1) }) % length
        do {
            _ = try CBORValue.decodePrefix(input[..<cut])
            throw BrokenProperty("\(cut) of \(length) bytes are an item, too")
        } catch let error as CBORError {
            try require(error.code == .truncated, "cut at \(cut) of \(length): \(error)")
        }
    }
}
