/// A complete X.509 v2 CRL of one issuer, RFC 5280 §5.
public struct CertificateRevocationList: Hashable, Sendable {
    /// One revoked certificate, RFC 5280 §5.3.
    public struct Entry: Hashable, Sendable {
        /// Big endian.
        public var serialNumber: [UInt8]
        public var revokedAt: CertificateTime
        /// CRLReason, RFC 5280 §5.3.1: 0…10 without 7. 0 (unspecified) is not written.
        public var reason: UInt8

        public init(serialNumber: [UInt8], revokedAt: CertificateTime, reason: UInt8) {
            self.serialNumber = serialNumber
            self.revokedAt = revokedAt
            self.reason = reason
        }
    }

    public let der: [UInt8]

    /// PEM, RFC 7468 §6.
    public var pem: String { PEM.encode(der, label: PEM.certificateRevocationList) }

    /// Signs a list that is in force from `thisUpdate` until `nextUpdate`.
    ///
    /// Entries are sorted by serial number; of two for one serial number the earlier one stands.
    ///
    /// - Parameters:
    ///   - issuer: the certificate of `key`, with a subject key identifier.
    ///   - number: crlNumber, which must grow with every list of this issuer.
    /// - Throws: `OpenSSLError` if `issuer` is not `key`'s, an entry has no valid serial number or
    ///   reason, or the list ends before it begins.
    public init(
        issuer: Certificate, key: SigningKey, number: UInt64, entries: [Entry],
        thisUpdate: CertificateTime, nextUpdate: CertificateTime
    ) throws(OpenSSLError) {
        let operation = "sign a revocation list"
        guard issuer.publicKey == key.publicKey, let keyIdentifier = issuer.subjectKeyIdentifier
        else { throw OpenSSLError(operation, reason: "the key is not the issuer's") }
        guard thisUpdate < nextUpdate else {
            throw OpenSSLError(operation, reason: "\(nextUpdate) is not after \(thisUpdate)")
        }
        for entry in entries { try entry.validate(operation) }
        var writer = DERWriter()
        writer.sequence { writer in
            writer.integer(1)
            writer.append(AlgorithmIdentifiers.ecdsaWithSHA256)
            writer.append(issuer.subject.der)
            thisUpdate.write(to: &writer)
            nextUpdate.write(to: &writer)
            // RFC 5280 §5.1.2.6: absent when there are none.
            if !entries.isEmpty {
                writer.sequence { writer in
                    for entry in Self.sorted(entries) { entry.write(to: &writer) }
                }
            }
            Self.writeExtensions(keyIdentifier: keyIdentifier, number: number, to: &writer)
        }
        der = try signedDER(writer.bytes, by: key)
    }

    private static func writeExtensions(
        keyIdentifier: [UInt8], number: UInt64, to writer: inout DERWriter
    ) {
        writer.constructed(DERTag.constructedContext(0)) { writer in
            writer.sequence { writer in
                writer.extension(ObjectIdentifiers.authorityKeyIdentifier) { writer in
                    writer.sequence { $0.primitive(DERTag.context(0), keyIdentifier) }
                }
                writer.extension(ObjectIdentifiers.crlNumber) { $0.integer(number) }
            }
        }
    }

    private static func sorted(_ entries: [Entry]) -> [Entry] {
        let minimal = entries.map { entry in
            let magnitude = Array(entry.serialNumber.drop { $0 == 0 })
            return Entry(
                serialNumber: magnitude, revokedAt: entry.revokedAt, reason: entry.reason)
        }
        var unique: [Entry] = []
        for entry in minimal.sorted(by: precedes)
        where unique.last?.serialNumber != entry.serialNumber {
            unique.append(entry)
        }
        return unique
    }

    private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
        guard a.serialNumber != b.serialNumber else { return a.revokedAt < b.revokedAt }
        guard a.serialNumber.count == b.serialNumber.count else {
            return a.serialNumber.count < b.serialNumber.count
        }
        return a.serialNumber.lexicographicallyPrecedes(b.serialNumber)
    }
}

extension CertificateRevocationList.Entry {
    fileprivate func validate(_ operation: String) throws(OpenSSLError) {
        guard CertificateTemplate.isSerialNumber(serialNumber) else {
            throw OpenSSLError(
                operation, reason: "a serial number of \(serialNumber.count) octets is not one")
        }
        guard reason <= 10, reason != 7 else {
            throw OpenSSLError(operation, reason: "\(reason) is not a CRLReason")
        }
    }

    fileprivate func write(to writer: inout DERWriter) {
        writer.sequence { writer in
            writer.integer(magnitude: serialNumber)
            revokedAt.write(to: &writer)
            guard reason != 0 else { return }
            writer.sequence { writer in
                writer.extension(ObjectIdentifiers.reasonCode) { writer in
                    writer.primitive(DERTag.enumerated, [reason])
                }
            }
        }
    }
}
