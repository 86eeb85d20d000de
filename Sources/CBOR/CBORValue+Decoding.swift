extension CBORValue {
    /// The one data item that `bytes` are.
    ///
    /// Never traps, never allocates more than a small multiple of what arrived, and leaves nothing
    /// unread: bytes behind the item are `.trailing`.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        form: CBORForm = .wellFormed,
        limits: CBORLimits = .standard
    ) throws(CBORError) -> CBORValue {
        let (value, length) = try decodePrefix(bytes, form: form, limits: limits)
        guard length == bytes.count else { throw CBORError(.trailing, at: length) }
        return value
    }

    /// The first data item of a CBOR sequence, RFC 8742, and its length in bytes.
    ///
    /// `.truncated` means that more bytes might complete the item; no other error does.
    public static func decodePrefix(
        _ bytes: some Collection<UInt8>,
        form: CBORForm = .wellFormed,
        limits: CBORLimits = .standard
    ) throws(CBORError) -> (value: CBORValue, length: Int) {
        guard bytes.count <= limits.byteCount else {
            throw CBORError(.tooLarge, at: limits.byteCount)
        }
        let input = Array(bytes)
        var isDeterministic = false
        let decoded = try input.withUnsafeBufferPointer { buffer throws(CBORError) in
            var builder = CBORTreeBuilder(buffer, limits: limits)
            defer { isDeterministic = builder.isDeterministic }
            return try builder.build()
        }
        // Nothing is encoded to be compared where the bytes themselves have shown it.
        if form == .deterministic, !isDeterministic {
            let expected = decoded.value.encoded()
            let arrived = input[..<decoded.length]
            if expected[...] == arrived { return decoded }
            if let offset = zip(expected, arrived).enumerated().first(where: {
                $0.element.0 != $0.element.1
            })?.offset {
                throw CBORError(.notDeterministic, at: offset)
            }
            guard expected.count == arrived.count else {
                throw CBORError(.notDeterministic, at: min(expected.count, arrived.count))
            }
        }
        return decoded
    }
}
