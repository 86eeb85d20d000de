import OpenSSL
import OpenSSLJudge
import Testing

@Suite struct CertificateRequestTests {
    private let openssl: OpenSSLCommand

    init() throws { openssl = try OpenSSLCommand() }

    private func request(curve: String = "prime256v1", _ extra: String...) throws -> [UInt8] {
        let key = try openssl.run(
            "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)", "-out", "key")
        #expect(key.status == 0, "\(key.output)")
        let arguments = ["-new", "-key", "key", "-subj", "/CN=00c0ffee", "-outform", "DER"] + extra
        let made = try openssl.run(["req"] + arguments + ["-out", "csr"])
        #expect(made.status == 0, "\(made.output)")
        return try openssl.read("csr")
    }

    @Test func acceptsWhatOpenSSLMakes() throws {
        let der = try request()
        let read = try CertificateRequest(der: der)
        #expect(read.subject[.commonName] == "00c0ffee")
        #expect(read.subject.description == "CN=00c0ffee")
        #expect(read.der == der)
        let shown = try openssl.run("req", "-in", "csr", "-inform", "DER", "-noout", "-pubkey")
        try openssl.write(shown.output, to: "pub.pem")
        try openssl.run("pkey", "-pubin", "-in", "pub.pem", "-outform", "DER", "-out", "pub.der")
        #expect(try openssl.read("pub.der") == SubjectPublicKeyInfo.der(p256: read.publicKey))
        #expect(try CertificateRequest(pem: read.pem) == read)
    }

    @Test func acceptsAttributes() throws {
        let der = try request(curve: "prime256v1", "-addext", "subjectAltName=DNS:device.example")
        #expect(try CertificateRequest(der: der).subject[.commonName] == "00c0ffee")
    }

    @Test func openSSLAcceptsOurs() throws {
        let name = try DistinguishedName([.init(.commonName, "00c0ffee")])
        let ours = try CertificateRequest(subject: name, key: .generate())
        #expect(try CertificateRequest(der: ours.der) == ours)
        try openssl.write(ours.der, to: "ours")
        let judged = try openssl.run(
            "req", "-in", "ours", "-inform", "DER", "-verify", "-noout", "-subject")
        #expect(judged.status == 0, "\(judged.output)")
        #expect(judged.output.contains("CN = 00c0ffee"))
    }

    @Test func refusesEveryChangedOctet() throws {
        let der = try request()
        for index in der.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var changed = der
                changed[index] ^= mask
                #expect(throws: OpenSSLError.self, "octet \(index)") {
                    try CertificateRequest(der: changed)
                }
            }
        }
    }

    @Test func refusesEveryPrefixAndTrailingOctets() throws {
        let der = try request()
        for length in 0..<der.count {
            #expect(throws: OpenSSLError.self) {
                try CertificateRequest(der: Array(der.prefix(length)))
            }
        }
        for trailer in [[0], [0x05, 0x00], der] as [[UInt8]] {
            let error = #expect(throws: OpenSSLError.self) {
                try CertificateRequest(der: der + trailer)
            }
            #expect(error?.reason == "\(trailer.count) octets follow the end")
        }
    }

    @Test(arguments: ["secp384r1", "secp256k1"])
    func refusesOtherCurves(_ curve: String) throws {
        let der = try request(curve: curve)
        let error = #expect(throws: OpenSSLError.self) { try CertificateRequest(der: der) }
        #expect(error?.reason == "its key is not P-256 with an uncompressed point")
    }

    @Test func refusesOtherKeysAndDigests() throws {
        #expect(throws: OpenSSLError.self) {
            try CertificateRequest(der: request(curve: "prime256v1", "-sha384"))
        }
        try openssl.run("genpkey", "-algorithm", "ED25519", "-out", "ed")
        try openssl.run(
            "req", "-new", "-key", "ed", "-subj", "/CN=x", "-outform", "DER", "-out", "ed.csr")
        #expect(throws: OpenSSLError.self) { try CertificateRequest(der: openssl.read("ed.csr")) }
    }

    @Test func refusesAnothersSignature() throws {
        let name = try DistinguishedName([.init(.commonName, "00c0ffee")])
        let (mine, other) = (try SigningKey.generate(), try SigningKey.generate())
        let request = try CertificateRequest(subject: name, key: mine)
        // The same request with another's point: its signature is by the wrong key.
        let start = try #require(
            request.der.indices.first { request.der[$0...].starts(with: mine.publicKey) })
        var forged = request.der
        forged.replaceSubrange(start..<(start + 65), with: other.publicKey)
        let error = #expect(throws: OpenSSLError.self) { try CertificateRequest(der: forged) }
        #expect(error?.reason == "its signature is not its key's")
    }
}
