/// A PKCS#10 request, RFC 2986, whose signer has proven possession of the private key: there is no
/// value of this type whose signature did not verify.
public struct CertificateRequest: Hashable, Sendable {
    public let der: [UInt8]
    /// What the requester would like to be called. The signature proves the key, not the name.
    public let subject: DistinguishedName
    /// The uncompressed P-256 point, 65 octets.
    public let publicKey: [UInt8]

    /// Octets. A request with one name and one P-256 key has about 200.
    public static let maximumLength = 16 * 1024

    /// Reads exactly one request, and verifies its signature over the octets as received.
    ///
    /// - Throws: `OpenSSLError` for anything but one DER request with nothing after it, for any key
    ///   but P-256 with an uncompressed point on the curve, for any algorithm but
    ///   ecdsa-with-SHA256, and for a signature that is not the key's.
    public init(der: [UInt8]) throws(OpenSSLError) {
        let operation = "read the certificate request"
        let parts: Parts
        do {
            parts = try Parts(der)
        } catch {
            throw OpenSSLError(operation, reason: error.description)
        }
        guard let point = SubjectPublicKeyInfo.p256Point(fromDER: parts.publicKeyInfo) else {
            throw OpenSSLError(
                operation, reason: "its key is not P-256 with an uncompressed point")
        }
        guard parts.algorithm == AlgorithmIdentifiers.ecdsaWithSHA256[...] else {
            throw OpenSSLError(operation, reason: "its signature is not ecdsa-with-SHA256")
        }
        let key = try VerificationKey(p256: point)
        guard let signature = ECDSASignature.raw(fromDER: Array(parts.signature)),
            key.isValid(signature: signature, for: parts.signed)
        else { throw OpenSSLError(operation, reason: "its signature is not its key's") }
        self.der = der
        subject = parts.subject
        publicKey = point
    }

    /// Reads exactly one request in PEM, as `init(der:)` does.
    public init(pem: String) throws(OpenSSLError) {
        guard let der = PEM.decode(pem, label: PEM.certificateRequest) else {
            throw OpenSSLError(
                "read the certificate request", reason: "it is not one request in PEM")
        }
        try self.init(der: der)
    }

    /// A request for `key`, signed by it: what a device makes.
    public init(subject: DistinguishedName, key: SigningKey) throws(OpenSSLError) {
        var writer = DERWriter()
        writer.sequence { writer in
            writer.integer(0)
            writer.append(subject.der)
            writer.append(key.subjectPublicKeyInfo)
            writer.constructed(DERTag.constructedContext(0)) { _ in }
        }
        der = try signedDER(writer.bytes, by: key)
        self.subject = subject
        publicKey = key.publicKey
    }

    /// PEM, RFC 7468 §7.
    public var pem: String { PEM.encode(der, label: PEM.certificateRequest) }
}

/// A request's fields as received, before anything is believed.
private struct Parts {
    let signed: ArraySlice<UInt8>
    let subject: DistinguishedName
    let publicKeyInfo: ArraySlice<UInt8>
    let algorithm: ArraySlice<UInt8>
    let signature: ArraySlice<UInt8>

    init(_ der: [UInt8]) throws(DERError) {
        guard der.count <= CertificateRequest.maximumLength else { throw .badLength }
        var outer = DERReader(der[...])
        var request = try outer.reader(DERTag.sequence)
        try outer.end()
        let info = try request.next()
        guard info.tag == DERTag.sequence else {
            throw .unexpectedTag(expected: DERTag.sequence, found: info.tag)
        }
        signed = info.encoded
        algorithm = try request.next().encoded
        signature = try request.octetsOfBitString()
        try request.end()

        var reader = DERReader(info.content)
        guard try reader.magnitude().isEmpty else { throw .badValue("version 1") }
        subject = try DistinguishedName(from: &reader)
        publicKeyInfo = try reader.next().encoded
        try Self.checkAttributes(try reader.content(DERTag.constructedContext(0)))
        try reader.end()
    }

    /// Attributes ask for extensions that this project decides itself, so that they are only
    /// checked to be well formed.
    private static func checkAttributes(_ content: ArraySlice<UInt8>) throws(DERError) {
        var attributes = DERReader(content)
        while !attributes.isAtEnd {
            var attribute = try attributes.reader(DERTag.sequence)
            _ = try attribute.content(DERTag.objectIdentifier)
            _ = try attribute.content(DERTag.set)
            try attribute.end()
        }
    }
}
