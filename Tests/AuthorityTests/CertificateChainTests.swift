import COSE
import Foundation
import Issuance
import OpenSSL
import OpenSSLJudge
import Provisioning
import Testing

@Suite struct CertificateChainTests {
    @Test(arguments: [false, true])
    func strictVerifierAcceptsTheChain(_ hasSubjectKeyIdentifier: Bool) throws {
        let fixture = try Fixture(
            profile: DeviceCertificateProfile(hasSubjectKeyIdentifier: hasSubjectKeyIdentifier))
        let plan = try Fixture.plan(notBefore: fixture.now)
        let chain = try fixture.chain(plan)
        #expect(chain.count == 2)
        let judged = try fixture.verify(chain[0])
        #expect(judged.status == 0, "\(judged.output)")
        #expect((chain[0].subjectKeyIdentifier != nil) == hasSubjectKeyIdentifier)
        #expect(chain[0].publicKey == plan.publicKey)
        #expect(chain[0].serialNumber == plan.serialNumbers[.x509Chain])
        #expect(chain[0].authorityKeyIdentifier == chain[1].subjectKeyIdentifier)
    }

    @Test func opensslShowsTheProfile() throws {
        let fixture = try Fixture()
        let leaf = try fixture.chain(Fixture.plan(notBefore: fixture.now))[0]
        try fixture.openssl.write(leaf.pem, to: "leaf")
        let text = try fixture.openssl.run(
            "x509", "-in", "leaf", "-noout", "-text", "-nameopt", "RFC2253"
        ).output
        for expected in [
            "Version: 3 (0x2)", "ecdsa-with-SHA256", "Dec 31 23:59:59 9999 GMT",
            "Subject: serialNumber=1f0c22aa33bb44cc,CN=microbit 1f0c22aa33bb44cc",
            "Issuer: CN=Test Issuing CA", "X509v3 Basic Constraints: critical",
            "CA:FALSE", "X509v3 Key Usage: critical", "Digital Signature\n",
            "X509v3 Authority Key Identifier", "NIST CURVE: P-256",
        ] {
            #expect(text.contains(expected), "\(expected) is not in \(text)")
        }
        #expect(!text.contains("Subject Key Identifier"))
        let authority = try fixture.openssl.run(
            "x509", "-in", fixture.path + "/issuing.crt", "-noout", "-text"
        ).output
        #expect(authority.contains("CA:TRUE, pathlen:0"))
        #expect(authority.contains("Certificate Sign, CRL Sign"))
    }

    @Test func leafEndsWhereThePlanEnds() throws {
        let fixture = try Fixture()
        let end = NumericDate(seconds: 2_600_000_000)
        let plan = try Fixture.plan(notBefore: fixture.now, notAfter: end)
        let leaf = try fixture.chain(plan)[0]
        #expect(leaf.notAfter.seconds == end.seconds)
        #expect(try fixture.verify(leaf).status == 0)
        let late = try fixture.verify(leaf, "-attime", "\(end.seconds + 1)")
        #expect(late.output.contains("certificate has expired"))
        let early = try fixture.verify(leaf, "-attime", "\(fixture.now.seconds - 1)")
        #expect(early.output.contains("not yet valid"))
    }

    /// A clock that is a little slow.
    @Test func neverBeginsBeforeTheAuthority() throws {
        let fixture = try Fixture()
        let begin = NumericDate(seconds: fixture.now.seconds - 3600)
        let leaf = try fixture.chain(Fixture.plan(notBefore: begin))[0]
        #expect(leaf.notBefore.seconds == fixture.now.seconds)
        #expect(try fixture.verify(leaf).status == 0)
    }

    @Test func anotherAuthoritysLeafFails() throws {
        let (fixture, other) = (try Fixture(), try Fixture())
        let leaf = try other.chain(Fixture.plan(notBefore: other.now))[0]
        #expect(try fixture.verify(leaf).status != 0)
        let (mine, theirs) = (fixture.authority.summary, other.authority.summary)
        #expect(mine.root.subject == theirs.root.subject)
        #expect(mine.root.fingerprint != theirs.root.fingerprint)
    }

    @Test func readsWhatOpenSSLSigned() throws {
        let openssl = try OpenSSLCommand()
        let made = try openssl.run(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "crt",
            "-days", "36500", "-subj", "/C=DE/O=Ärger GmbH/OU=a+OU=b/CN=x", "-utf8", "-set_serial",
            "0x00ff01")
        #expect(made.status == 0, "\(made.output)")
        let certificate = try Certificate(
            pem: String(decoding: openssl.read("crt"), as: UTF8.self))
        #expect(certificate.subject[.organizationName] == "Ärger GmbH")
        #expect(certificate.subject[.countryName] == "DE")
        #expect(certificate.serialNumber == [0xFF, 0x01])
        #expect(certificate.publicKey == nil)
        #expect(certificate.isAuthority)
        let shown = try openssl.run(
            "x509", "-in", "crt", "-noout", "-fingerprint", "-sha256", "-enddate", "-dateopt",
            "iso_8601")
        let fingerprint = certificate.fingerprint.map { String(format: "%02X", $0) }
        #expect(shown.output.contains(fingerprint.joined(separator: ":")))
        let end = certificate.notAfter.description
        #expect(shown.output.contains("notAfter=\(end.prefix(4))-\(end.dropFirst(4).prefix(2))-"))
    }

    @Test func everyChangedOctetIsRefusedOrSeen() throws {
        let fixture = try Fixture()
        let chain = try fixture.chain(Fixture.plan(notBefore: fixture.now))
        let der = chain[0].der
        let root = try Certificate(
            pem: String(decoding: fixture.openssl.read("authority/root.crt"), as: UTF8.self))
        try CertificateChain.validate(
            chain[0], intermediates: [chain[1]], anchors: [root], at: chain[0].notBefore)
        for index in der.indices {
            var changed = der
            changed[index] ^= 0x01
            #expect(throws: OpenSSLError.self, "octet \(index)") {
                let leaf = try Certificate(der: changed)
                try CertificateChain.validate(
                    leaf, intermediates: [chain[1]], anchors: [root], at: chain[0].notBefore)
            }
        }
        #expect(throws: OpenSSLError.self) { try Certificate(der: der + [0]) }
    }
}
