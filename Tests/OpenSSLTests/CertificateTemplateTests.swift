import OpenSSL
import Testing

@Suite struct CertificateTemplateTests {
    private let key: SigningKey
    private let template: CertificateTemplate

    init() throws {
        key = try SigningKey.generate()
        let name = try DistinguishedName([.init(.commonName, "x")])
        template = CertificateTemplate(
            serialNumber: [0x80], issuer: name, subject: name,
            notBefore: try #require(CertificateTime(seconds: 2_492_985_600)),  // 2048-12-31
            notAfter: try #require(CertificateTime(seconds: 2_524_608_000)),  // 2050-01-01
            publicKey: key.publicKey, basicConstraints: .authority(pathLength: nil),
            keyUsage: [.keyCertSign, .cRLSign],
            subjectKeyIdentifier: [1], authorityKeyIdentifier: nil)
    }

    private func contains(_ der: [UInt8], _ part: [UInt8]) -> Bool {
        der.indices.contains { der[$0...].starts(with: part) }
    }

    /// Each in the one form that DER has for it.
    @Test func writesDER() throws {
        let authority = try template.signed(by: key).der
        #expect(contains(authority, [0x02, 0x02, 0x00, 0x80]))  // the serial number 128
        #expect(contains(authority, [0x17, 0x0D] + "481231000000Z".utf8))
        #expect(contains(authority, [0x18, 0x0F] + "20500101000000Z".utf8))
        #expect(contains(authority, [0x04, 0x04, 0x03, 0x02, 0x01, 0x06]))  // keyUsage
        #expect(contains(authority, [0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xFF]))  // CA:TRUE
        var leaf = template
        leaf.basicConstraints = .endEntity
        leaf.keyUsage = .digitalSignature
        let der = try leaf.signed(by: key).der
        #expect(contains(der, [0x04, 0x04, 0x03, 0x02, 0x07, 0x80]))
        #expect(contains(der, [0x04, 0x02, 0x30, 0x00]))
    }

    @Test func readsWhatItWrote() throws {
        var leaf = template
        leaf.authorityKeyIdentifier = [2, 3]
        for template in [template, leaf] {
            let written = try template.signed(by: key)
            #expect(try Certificate(der: written.der) == written)
            #expect(try Certificate(pem: written.pem) == written)
        }
    }

    @Test func refusesWhatNoCertificateCanSay() throws {
        for change in [
            { $0.serialNumber = [] }, { $0.serialNumber = [0] },
            { $0.serialNumber = [0x80] + [UInt8](repeating: 0, count: 19) },
            { $0.publicKey[40] ^= 1 }, { $0.publicKey = [] },
            { swap(&$0.notBefore, &$0.notAfter) },
        ] as [(inout CertificateTemplate) -> Void] {
            var template = template
            change(&template)
            #expect(throws: OpenSSLError.self) { try template.signed(by: key) }
        }
        var longest = template
        longest.serialNumber = [0x7F] + [UInt8](repeating: 0, count: 19)
        #expect(try longest.signed(by: key).serialNumber.count == 20)
    }

    /// X.690 §10.1: a length in a longer form than it needs is not DER.
    @Test func refusesLongFormsOfLengths() throws {
        let request = try CertificateRequest(subject: template.subject, key: key).der
        #expect(request[1] == 0x81)
        for header in [[0x30, 0x82, 0x00, request[2]], [0x30, 0x83, 0x00, 0x00, request[2]]] {
            #expect(throws: OpenSSLError.self) {
                try CertificateRequest(der: header + request.dropFirst(3))
            }
        }
        #expect(throws: OpenSSLError.self) {  // indefinite
            try CertificateRequest(der: [0x30, 0x80] + request.dropFirst(3) + [0, 0])
        }
        let certificate = try template.signed(by: key).der
        #expect(certificate[1] == 0x82)
        #expect(throws: OpenSSLError.self) {
            try Certificate(der: [0x30, 0x83, 0x00] + certificate.dropFirst(2))
        }
    }

    @Test func namesAreChecked() throws {
        let long = String(repeating: "ä", count: 64)
        #expect(try DistinguishedName([.init(.commonName, long)])[.commonName] == long)
        for attribute in [
            .init(.commonName, ""), .init(.commonName, long + "ä"), .init(.serialNumber, "ä"),
            .init(.serialNumber, "a_b"), .init(.countryName, "*"),
        ] as [DistinguishedName.Attribute] {
            #expect(throws: OpenSSLError.self) { try DistinguishedName([attribute]) }
        }
    }
}
