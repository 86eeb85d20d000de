/// An X.509 v3 certificate as it was received or signed, RFC 5280 §4.1. Reading one proves nothing
/// about who signed it: `CertificateChain` does.
public struct Certificate: Hashable, Sendable {
    public let der: [UInt8]
    /// The magnitude, big endian, without leading zeroes.
    public let serialNumber: [UInt8]
    public let issuer: DistinguishedName
    public let subject: DistinguishedName
    public let notBefore: CertificateTime
    public let notAfter: CertificateTime
    /// The DER encoding of the public key, of any kind.
    public let subjectPublicKeyInfo: [UInt8]
    public let subjectKeyIdentifier: [UInt8]?
    /// keyIdentifier of the issuing key.
    public let authorityKeyIdentifier: [UInt8]?
    /// Whether basicConstraints says CA:TRUE.
    public let isAuthority: Bool

    /// Octets. Longer than any chain element that a microcontroller could use.
    public static let maximumLength = 64 * 1024

    /// The uncompressed P-256 point, 65 octets; nil for a key of another kind.
    public var publicKey: [UInt8]? {
        SubjectPublicKeyInfo.p256Point(fromDER: subjectPublicKeyInfo)
    }

    /// SHA-256 of the DER encoding, 32 octets: the fingerprint that `openssl x509` shows.
    public var fingerprint: [UInt8] { SHA256.hash(der) }

    /// PEM, RFC 7468 §5.
    public var pem: String { PEM.encode(der, label: PEM.certificate) }

    /// Reads exactly one certificate.
    ///
    /// - Throws: `OpenSSLError` for anything but one DER certificate with nothing after it.
    public init(der: [UInt8]) throws(OpenSSLError) {
        do {
            try self.init(reading: der)
        } catch {
            throw OpenSSLError("read the certificate", reason: error.description)
        }
    }

    /// Reads exactly one certificate in PEM.
    public init(pem: String) throws(OpenSSLError) {
        guard let der = PEM.decode(pem, label: PEM.certificate) else {
            throw OpenSSLError("read the certificate", reason: "it is not one certificate in PEM")
        }
        try self.init(der: der)
    }

    /// What `template` became.
    init(der: [UInt8], template: CertificateTemplate) {
        self.der = der
        serialNumber = Array(template.serialNumber.drop { $0 == 0 })
        issuer = template.issuer
        subject = template.subject
        notBefore = template.notBefore
        notAfter = template.notAfter
        subjectPublicKeyInfo = SubjectPublicKeyInfo.der(p256: template.publicKey)
        subjectKeyIdentifier = template.subjectKeyIdentifier
        authorityKeyIdentifier = template.authorityKeyIdentifier
        isAuthority = template.basicConstraints != .endEntity
    }

    private init(reading der: [UInt8]) throws(DERError) {
        guard der.count <= Self.maximumLength else { throw .badLength }
        var outer = DERReader(der[...])
        var certificate = try outer.reader(DERTag.sequence)
        try outer.end()
        var reader = try certificate.reader(DERTag.sequence)
        _ = try certificate.content(DERTag.sequence)
        _ = try certificate.octetsOfBitString()
        try certificate.end()

        var version = try reader.reader(DERTag.constructedContext(0))
        guard try version.magnitude() == [2] else { throw .badValue("version 3") }
        try version.end()
        self.der = der
        serialNumber = try reader.magnitude()
        _ = try reader.content(DERTag.sequence)
        issuer = try DistinguishedName(from: &reader)
        var validity = try reader.reader(DERTag.sequence)
        notBefore = try CertificateTime(from: &validity)
        notAfter = try CertificateTime(from: &validity)
        try validity.end()
        subject = try DistinguishedName(from: &reader)
        let key = try reader.next()
        guard key.tag == DERTag.sequence else {
            throw .unexpectedTag(expected: DERTag.sequence, found: key.tag)
        }
        subjectPublicKeyInfo = Array(key.encoded)
        _ = try reader.optional(DERTag.context(1))
        _ = try reader.optional(DERTag.context(2))
        let extensions = try CertificateExtensions(
            try reader.optional(DERTag.constructedContext(3)))
        try reader.end()
        subjectKeyIdentifier = extensions.subjectKeyIdentifier
        authorityKeyIdentifier = extensions.authorityKeyIdentifier
        isAuthority = extensions.isAuthority
    }
}

/// What this project reads from a certificate's extensions.
private struct CertificateExtensions {
    var subjectKeyIdentifier: [UInt8]?
    var authorityKeyIdentifier: [UInt8]?
    var isAuthority = false

    /// `content`: of the field `[3]`, if there is one.
    init(_ content: ArraySlice<UInt8>?) throws(DERError) {
        guard let content else { return }
        var outer = DERReader(content)
        var list = try outer.reader(DERTag.sequence)
        try outer.end()
        var seen: Set<ArraySlice<UInt8>> = []
        while !list.isAtEnd {
            var item = try list.reader(DERTag.sequence)
            let identifier = try item.content(DERTag.objectIdentifier)
            guard seen.insert(identifier).inserted else { throw .badValue("an extension list") }
            _ = try item.optional(DERTag.boolean)
            let value = DERReader(try item.content(DERTag.octetString))
            try item.end()
            try take(Array(identifier), value)
        }
    }

    private mutating func take(_ identifier: [UInt8], _ value: DERReader) throws(DERError) {
        var value = value
        switch identifier {
        case ObjectIdentifiers.subjectKeyIdentifier:
            subjectKeyIdentifier = Array(try value.content(DERTag.octetString))
        case ObjectIdentifiers.authorityKeyIdentifier:
            var fields = try value.reader(DERTag.sequence)
            authorityKeyIdentifier = try fields.optional(DERTag.context(0)).map { Array($0) }
        case ObjectIdentifiers.basicConstraints:
            var fields = try value.reader(DERTag.sequence)
            isAuthority = try fields.optional(DERTag.boolean) == [0xFF]
        default: return
        }
        try value.end()
    }
}
