/// All that an X.509 v3 certificate says, RFC 5280 §4.1, before anyone signs it.
public struct CertificateTemplate: Hashable, Sendable {
    /// keyUsage, RFC 5280 §4.2.1.3: the bits that this project uses, in the order of the standard.
    public struct KeyUsage: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let digitalSignature = KeyUsage(rawValue: 0x80)
        public static let keyCertSign = KeyUsage(rawValue: 0x04)
        public static let cRLSign = KeyUsage(rawValue: 0x02)
    }

    /// basicConstraints, RFC 5280 §4.2.1.9.
    public enum BasicConstraints: Hashable, Sendable {
        case endEntity
        /// `pathLength`: how many CA certificates may follow; nil for any number.
        case authority(pathLength: UInt64?)
    }

    /// Big endian; positive and at most 20 octets when written as an INTEGER.
    public var serialNumber: [UInt8]
    public var issuer: DistinguishedName
    public var subject: DistinguishedName
    public var notBefore: CertificateTime
    public var notAfter: CertificateTime
    /// The uncompressed P-256 point, 65 octets.
    public var publicKey: [UInt8]
    /// Critical.
    public var basicConstraints: BasicConstraints
    /// Critical; nothing is written for an empty set.
    public var keyUsage: KeyUsage
    /// Nil: the extension is absent.
    public var subjectKeyIdentifier: [UInt8]?
    /// Nil: the extension is absent.
    public var authorityKeyIdentifier: [UInt8]?

    public init(
        serialNumber: [UInt8], issuer: DistinguishedName, subject: DistinguishedName,
        notBefore: CertificateTime, notAfter: CertificateTime, publicKey: [UInt8],
        basicConstraints: BasicConstraints, keyUsage: KeyUsage,
        subjectKeyIdentifier: [UInt8]?, authorityKeyIdentifier: [UInt8]?
    ) {
        self.serialNumber = serialNumber
        self.issuer = issuer
        self.subject = subject
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.publicKey = publicKey
        self.basicConstraints = basicConstraints
        self.keyUsage = keyUsage
        self.subjectKeyIdentifier = subjectKeyIdentifier
        self.authorityKeyIdentifier = authorityKeyIdentifier
    }

    /// Octets. RFC 5280 §4.1.2.2: conforming CAs must not use longer serial numbers.
    public static let maximumSerialNumberLength = 20

    /// Whether `serialNumber` is positive and its INTEGER has at most 20 octets.
    public static func isSerialNumber(_ serialNumber: [UInt8]) -> Bool {
        let magnitude = serialNumber.drop { $0 == 0 }
        guard let first = magnitude.first else { return false }
        return magnitude.count + (first & 0x80 == 0 ? 0 : 1) <= maximumSerialNumberLength
    }

    /// SHA-1 of the public point: method 1 of RFC 5280 §4.2.1.2. 20 octets.
    public static func keyIdentifier(of publicKey: [UInt8]) -> [UInt8] {
        SHA1.hash(publicKey)
    }

    /// The certificate, signed by `key` with ecdsa-with-SHA256.
    ///
    /// - Throws: `OpenSSLError` if the serial number or the public key is not one, or the validity
    ///   ends before it begins.
    public func signed(by key: SigningKey) throws(OpenSSLError) -> Certificate {
        let operation = "sign a certificate"
        guard Self.isSerialNumber(serialNumber) else {
            throw OpenSSLError(
                operation, reason: "a serial number of \(serialNumber.count) octets is not one")
        }
        guard notBefore <= notAfter else {
            throw OpenSSLError(operation, reason: "\(notAfter) is before \(notBefore)")
        }
        // Refuses points that are off the curve, which no signature check would find.
        _ = try VerificationKey(p256: publicKey)
        let der = try signedDER(toBeSigned, by: key)
        return Certificate(der: der, template: self)
    }

    private var toBeSigned: [UInt8] {
        var writer = DERWriter()
        writer.sequence { writer in
            writer.constructed(DERTag.constructedContext(0)) { $0.integer(2) }
            writer.integer(magnitude: serialNumber)
            writer.append(AlgorithmIdentifiers.ecdsaWithSHA256)
            writer.append(issuer.der)
            writer.sequence { writer in
                notBefore.write(to: &writer)
                notAfter.write(to: &writer)
            }
            writer.append(subject.der)
            writer.append(SubjectPublicKeyInfo.der(p256: publicKey))
            writer.constructed(DERTag.constructedContext(3)) { writer in
                writer.sequence(writeExtensions)
            }
        }
        return writer.bytes
    }

    private func writeExtensions(to writer: inout DERWriter) {
        writer.extension(ObjectIdentifiers.basicConstraints, isCritical: true) { writer in
            writer.sequence { writer in
                guard case .authority(let pathLength) = basicConstraints else { return }
                writer.primitive(DERTag.boolean, [0xFF])
                if let pathLength { writer.integer(pathLength) }
            }
        }
        if !keyUsage.isEmpty {
            writer.extension(ObjectIdentifiers.keyUsage, isCritical: true) { writer in
                writer.bitString(
                    [keyUsage.rawValue], unusedBits: UInt8(keyUsage.rawValue.trailingZeroBitCount))
            }
        }
        if let subjectKeyIdentifier {
            writer.extension(ObjectIdentifiers.subjectKeyIdentifier) { writer in
                writer.primitive(DERTag.octetString, subjectKeyIdentifier)
            }
        }
        if let authorityKeyIdentifier {
            writer.extension(ObjectIdentifiers.authorityKeyIdentifier) { writer in
                writer.sequence { $0.primitive(DERTag.context(0), authorityKeyIdentifier) }
            }
        }
    }
}

/// SEQUENCE { toBeSigned, ecdsa-with-SHA256, signature }: certificates and CRLs alike.
func signedDER(_ toBeSigned: [UInt8], by key: SigningKey) throws(OpenSSLError) -> [UInt8] {
    let signature = try key.signDER(toBeSigned)
    var writer = DERWriter()
    writer.sequence { writer in
        writer.append(toBeSigned)
        writer.append(AlgorithmIdentifiers.ecdsaWithSHA256)
        writer.bitString(signature)
    }
    return writer.bytes
}
