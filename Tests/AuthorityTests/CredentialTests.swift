import Attestation
import Authority
import CBOR
import COSE
import Issuance
import OpenSSL
import Provisioning
import Testing

@Suite struct CredentialTests {
    private func tokenKey(_ fixture: Fixture) throws -> COSEKey {
        try COSEKey(cbor: CBORValue.decode(fixture.openssl.read("authority/cwt.pub")))
    }

    @Test func tokenSaysWhatThePlanSays() throws {
        let fixture = try Fixture()
        let end = NumericDate(seconds: fixture.now.seconds + 1000)
        let plan = try Fixture.plan(types: [.cwt], notBefore: fixture.now, notAfter: end)
        let credentials = try fixture.authority.sign(plan)
        let credential = try #require(credentials.first)
        #expect(credentials.count == 1)
        let key = try tokenKey(fixture)
        let token = try CWT.decode(credential.bytes)
        #expect(credential.bytes.first == 0xD2)
        #expect(token.message.protected[.int(1)]?.integer == -7)
        #expect(token.message.keyID == key.thumbprint)
        #expect(key.keyID == key.thumbprint)
        let claims = try token.claims(signedBy: key, at: fixture.now)
        #expect(claims.issuer == "Test Issuing CA")
        #expect(claims.subject == plan.deviceID)
        #expect(claims.issuedAt == fixture.now)
        #expect(claims.notBefore == fixture.now)
        #expect(claims.expiration == end)
        #expect(claims.tokenID == plan.serialNumbers[.cwt])
        #expect(claims.confirmation == .key(try #require(COSEKey(p256: plan.publicKey))))
        #expect(claims.other[.int(-65538)]?.text == "microbit")
        let identity = DeviceIdentity(
            board: plan.board, id: try #require(DeviceID(hexadecimal: plan.deviceID)))
        #expect(claims.other[.int(EATClaim.ueid)]?.bytes == UEID.derive(identity))
        #expect(throws: COSEError.self) { try token.claims(signedBy: key, at: end) }
        #expect(credential.serialNumber == plan.serialNumbers[.cwt])
        #expect(credential.issuer == SHA256.hash(SubjectPublicKeyInfo.der(p256: key.publicKey)))
    }

    @Test func tokenWithoutEndHasNoExpiry() throws {
        let fixture = try Fixture()
        let plan = try Fixture.plan(types: [.cwt], notBefore: fixture.now)
        let token = try CWT.decode(#require(try fixture.authority.sign(plan).first).bytes)
        #expect(token.unverifiedClaims.expiration == nil)
        let other = try Fixture()
        #expect(throws: COSEError.signature) {
            try token.claims(signedBy: tokenKey(other), at: fixture.now)
        }
    }

    @Test func oneCredentialForEachType() throws {
        let fixture = try Fixture()
        let plan = try Fixture.plan(notBefore: fixture.now)
        let credentials = try fixture.authority.sign(plan)
        #expect(credentials.map(\.type) == [.x509Chain, .cwt, .trustAnchors])
        let chain = try Fixture.certificates(credentials[0].bytes)
        let anchors = try Fixture.certificates(credentials[2].bytes)
        #expect(anchors.count == 1)
        #expect(anchors[0].fingerprint == fixture.authority.summary.root.fingerprint)
        #expect(chain[1].fingerprint == fixture.authority.summary.issuing.fingerprint)
        #expect(credentials[0].issuer == SHA256.hash(chain[1].subjectPublicKeyInfo))
        #expect(credentials[0].serialNumber == chain[0].serialNumber)
        #expect(credentials[2].serialNumber.isEmpty)
        #expect(Set(credentials.map(\.issuer)).count == 3)
        #expect(credentials.allSatisfy { $0.notBefore == fixture.now && $0.notAfter == nil })
    }

    @Test func refusesWhatTheCertificatesCannotSay() throws {
        let fixture = try Fixture()
        var plan = try Fixture.plan(notBefore: fixture.now)
        plan.publicKey[40] ^= 1
        let error = #expect(throws: ProvisioningError(.issuanceFailed, "")) {
            try fixture.authority.sign(plan)
        }
        #expect(error?.reason.contains("could not import the public key") == true)
        plan = try Fixture.plan(types: [], notBefore: fixture.now)
        #expect(throws: ProvisioningError(.issuanceFailed, "")) { try fixture.authority.sign(plan) }
    }
}
