import Authority
import COSE
import Foundation
import OpenSSL
import Provisioning
import Testing

@Suite struct RevocationListTests {
    private func revoked(
        _ fixture: Fixture, _ serialNumber: [UInt8], _ reason: RevocationReason
    ) -> RevokedCertificate {
        RevokedCertificate(
            serialNumber: serialNumber, revokedAt: NumericDate(seconds: fixture.now.seconds - 30),
            reason: reason)
    }

    @Test(arguments: ["-crl_check", "-crl_check_all"])
    func onlyTheRevokedLeafFails(_ option: String) throws {
        let fixture = try Fixture()
        let good = try fixture.chain(Fixture.plan(serialNumber: [0x2A], notBefore: fixture.now))[0]
        let bad = try fixture.chain(
            Fixture.plan(serialNumber: [0x00, 0x80], notBefore: fixture.now))[0]
        try fixture.writeLists([
            revoked(fixture, bad.serialNumber, .keyCompromise),
            revoked(fixture, [0x29], .superseded),
        ])
        let options = [option, "-CRLfile", "crl.pem", "-CRLfile", "root-crl.pem"]
        let accepted = try fixture.verify(
            good, options[0], options[1], options[2], options[3], options[4])
        #expect(accepted.status == 0, "\(accepted.output)")
        let refused = try fixture.verify(
            bad, options[0], options[1], options[2], options[3], options[4])
        #expect(refused.status != 0)
        #expect(refused.output.contains("certificate revoked"))
    }

    @Test func withoutAListNothingIsKnown() throws {
        let fixture = try Fixture()
        let leaf = try fixture.chain(Fixture.plan(notBefore: fixture.now))[0]
        let refused = try fixture.verify(leaf, "-crl_check")
        #expect(refused.output.contains("unable to get certificate CRL"))
    }

    @Test func opensslVerifiesAndShowsTheList() throws {
        let fixture = try Fixture()
        try fixture.writeLists(
            [
                revoked(fixture, [0x80, 0x01], .superseded),
                revoked(fixture, [0x05], .unspecified),
                revoked(fixture, [0x00, 0x07], .keyCompromise),
                revoked(fixture, [0x07], .superseded),
            ], number: 258)
        let judged = try fixture.openssl.run(
            "crl", "-in", "crl.pem", "-CAfile", fixture.path + "/issuing.crt", "-noout", "-text")
        #expect(judged.status == 0)
        #expect(judged.output.contains("verify OK"), "\(judged.output)")
        #expect(judged.output.contains("Version 2 (0x1)"))
        #expect(judged.output.contains("X509v3 CRL Number: \n                258"))
        #expect(judged.output.contains("X509v3 Authority Key Identifier"))
        #expect(judged.output.contains("Superseded"))
        #expect(judged.output.contains("Key Compromise"))
        #expect(!judged.output.contains("Unspecified"))
        let serialNumbers = judged.output.split(separator: "\n").filter {
            $0.contains("Serial Number:")
        }.compactMap { $0.split(separator: " ").last }
        #expect(serialNumbers == ["05", "07", "8001"])
        let root = try fixture.openssl.run(
            "crl", "-in", "root-crl.pem", "-CAfile", fixture.path + "/root.crt", "-noout", "-text")
        #expect(root.output.contains("verify OK"))
        #expect(root.output.contains("No Revoked Certificates"))
    }

    @Test func refusesWhatNoListCanSay() throws {
        let fixture = try Fixture()
        #expect(throws: ProvisioningError(.issuanceFailed, "")) {
            try fixture.writeLists([revoked(fixture, [0], .superseded)])
        }
        #expect(throws: ProvisioningError(.issuanceFailed, "")) {
            try fixture.writeLists([
                revoked(fixture, Array(repeating: 0x7F, count: 21), .superseded)
            ])
        }
        #expect(throws: ProvisioningError(.issuanceFailed, "")) {
            try fixture.writeLists([], from: NumericDate(seconds: fixture.now.seconds + 90_000))
        }
    }
}
