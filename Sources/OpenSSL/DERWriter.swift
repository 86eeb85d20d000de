/// Writes DER, X.690 §10: definite, minimal lengths.
struct DERWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ encoded: some Collection<UInt8>) { bytes += encoded }

    mutating func primitive(_ tag: UInt8, _ content: some Collection<UInt8>) {
        bytes.append(tag)
        bytes += Self.length(content.count)
        bytes += content
    }

    /// Writes what `body` writes as the content of one value.
    mutating func constructed(_ tag: UInt8, _ body: (inout DERWriter) -> Void) {
        bytes.append(tag)
        let start = bytes.count
        body(&self)
        bytes.insert(contentsOf: Self.length(bytes.count - start), at: start)
    }

    mutating func sequence(_ body: (inout DERWriter) -> Void) {
        constructed(DERTag.sequence, body)
    }

    /// A non-negative INTEGER from its big-endian magnitude.
    mutating func integer(magnitude: some Collection<UInt8>) {
        var content = Array(magnitude.drop { $0 == 0 })
        if content.isEmpty || content[0] & 0x80 != 0 { content.insert(0, at: 0) }
        primitive(DERTag.integer, content)
    }

    mutating func integer(_ value: UInt64) {
        integer(magnitude: withUnsafeBytes(of: value.bigEndian, Array.init))
    }

    mutating func objectIdentifier(_ content: [UInt8]) {
        primitive(DERTag.objectIdentifier, content)
    }

    mutating func bitString(_ octets: some Collection<UInt8>, unusedBits: UInt8 = 0) {
        primitive(DERTag.bitString, [unusedBits] + octets)
    }

    /// One Extension, RFC 5280 §4.1.2.9.
    mutating func `extension`(
        _ identifier: [UInt8], isCritical: Bool = false, _ value: (inout DERWriter) -> Void
    ) {
        sequence { writer in
            writer.objectIdentifier(identifier)
            if isCritical { writer.primitive(DERTag.boolean, [0xFF]) }
            writer.constructed(DERTag.octetString, value)
        }
    }

    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        let octets = withUnsafeBytes(of: UInt64(count).bigEndian, Array.init).drop { $0 == 0 }
        return [0x80 | UInt8(octets.count)] + octets
    }
}

/// The identifier octets that certificates use, X.690 §8.1.2.
enum DERTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let enumerated: UInt8 = 0x0A
    static let utf8String: UInt8 = 0x0C
    static let printableString: UInt8 = 0x13
    static let ia5String: UInt8 = 0x16
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31

    /// `[number]`, primitive.
    static func context(_ number: UInt8) -> UInt8 { 0x80 | number }
    /// `[number]`, constructed.
    static func constructedContext(_ number: UInt8) -> UInt8 { 0xA0 | number }
}
