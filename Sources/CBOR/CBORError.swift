/// Why some bytes are not a CBOR data item that the caller wants, and where.
public struct CBORError: Error, Hashable, Sendable {
    public enum Code: String, CaseIterable, Sendable {
        /// The bytes end inside the item.
        case truncated
        /// Bytes follow the item.
        case trailing
        /// Not well-formed, RFC 8949 Appendix F.
        case malformed
        /// More nested arrays, maps, tags and chunked strings than the limit.
        case tooDeep = "too-deep"
        /// More data items than the limit.
        case tooManyItems = "too-many-items"
        /// More bytes than the limit.
        case tooLarge = "too-large"
        /// A map key that stands twice, RFC 8949 §5.6.
        case duplicateKey = "duplicate-key"
        /// A text string that is not UTF-8, RFC 8949 §3.1.
        case notUTF8 = "not-utf8"
        /// Another encoding than the deterministic one, RFC 8949 §4.2.1.
        case notDeterministic = "not-deterministic"
    }

    public let code: Code
    /// Bytes from the start of the input to the place where the trouble showed.
    public let offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }
}

extension CBORError: CustomStringConvertible {
    public var description: String { "cbor \(code.rawValue) at byte \(offset)" }
}
