/// A Name, RFC 5280 §4.1.2.4, kept as the DER that it was read from or written to.
public struct DistinguishedName: Hashable, Sendable {
    /// The attribute types that this project writes or shows.
    public enum AttributeType: Hashable, Sendable, CaseIterable {
        case commonName
        /// Of the device, X.520: not the certificate's serial number.
        case serialNumber
        case countryName
        case organizationName
        case organizationalUnitName
    }

    public struct Attribute: Hashable, Sendable {
        public let type: AttributeType
        public let value: String

        public init(_ type: AttributeType, _ value: String) {
            self.type = type
            self.value = value
        }
    }

    /// The whole RDNSequence.
    public let der: [UInt8]
    /// In order, as far as their types are known and their values are text.
    public let attributes: [Attribute]

    /// Characters in a `commonName` or `serialNumber`: ub-common-name, ub-serial-number, RFC 5280
    /// appendix A.1.
    public static let maximumLength = 64

    /// One RDN for each attribute.
    ///
    /// - Throws: `OpenSSLError` if a value is empty, longer than 64 characters, or not writable in
    ///   the string type of its attribute: PrintableString for `serialNumber` and `countryName`.
    public init(_ attributes: [Attribute]) throws(OpenSSLError) {
        for attribute in attributes {
            let isPrintable = attribute.value.utf8.allSatisfy(Self.isPrintable)
            guard (1...Self.maximumLength).contains(attribute.value.unicodeScalars.count),
                isPrintable || !attribute.type.isPrintableString
            else {
                throw OpenSSLError(
                    "write a name",
                    reason: "\(attribute.type.label) can not be \"\(attribute.value)\"")
            }
        }
        var writer = DERWriter()
        writer.sequence { writer in
            for attribute in attributes {
                writer.constructed(DERTag.set) { writer in
                    writer.sequence { writer in
                        writer.objectIdentifier(attribute.type.identifier)
                        writer.primitive(attribute.type.stringTag, Array(attribute.value.utf8))
                    }
                }
            }
        }
        self.attributes = attributes
        der = writer.bytes
    }

    init(from reader: inout DERReader) throws(DERError) {
        let name = try reader.next()
        guard name.tag == DERTag.sequence else {
            throw .unexpectedTag(expected: DERTag.sequence, found: name.tag)
        }
        var attributes: [Attribute] = []
        var sequence = DERReader(name.content)
        while !sequence.isAtEnd {
            var set = try sequence.reader(DERTag.set)
            repeat {
                var pair = try set.reader(DERTag.sequence)
                let identifier = try pair.content(DERTag.objectIdentifier)
                let value = try pair.next()
                try pair.end()
                guard let text = Self.text(value.tag, value.content) else { continue }
                if let type = AttributeType.allCases.first(where: {
                    identifier == $0.identifier[...]
                }) {
                    attributes.append(Attribute(type, text))
                }
            } while !set.isAtEnd
        }
        self.attributes = attributes
        der = Array(name.encoded)
    }

    /// The value of the first attribute of this type.
    public subscript(type: AttributeType) -> String? {
        attributes.first { $0.type == type }?.value
    }

    private static func text(_ tag: UInt8, _ content: ArraySlice<UInt8>) -> String? {
        switch tag {
        case DERTag.utf8String: String(validating: content, as: UTF8.self)
        case DERTag.printableString, DERTag.ia5String:
            content.allSatisfy { $0 < 0x80 } ? String(decoding: content, as: UTF8.self) : nil
        default: nil
        }
    }

    /// PrintableString, X.680 §41.4.
    private static func isPrintable(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: " '()+,-./:=?".utf8.contains(octet)
        }
    }
}

extension DistinguishedName: CustomStringConvertible {
    /// `CN=…, serialNumber=…`, in the order of the name.
    public var description: String {
        attributes.map { "\($0.type.label)=\($0.value)" }.joined(separator: ", ")
    }
}

extension DistinguishedName.AttributeType {
    var identifier: [UInt8] {
        switch self {
        case .commonName: ObjectIdentifiers.commonName
        case .serialNumber: ObjectIdentifiers.serialNumber
        case .countryName: ObjectIdentifiers.countryName
        case .organizationName: ObjectIdentifiers.organizationName
        case .organizationalUnitName: ObjectIdentifiers.organizationalUnitName
        }
    }

    var label: String {
        switch self {
        case .commonName: "CN"
        case .serialNumber: "serialNumber"
        case .countryName: "C"
        case .organizationName: "O"
        case .organizationalUnitName: "OU"
        }
    }

    var isPrintableString: Bool { self == .serialNumber || self == .countryName }

    var stringTag: UInt8 { isPrintableString ? DERTag.printableString : DERTag.utf8String }
}
