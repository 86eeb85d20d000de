import Attestation
import COSE
import OpenSSL
import Testing

struct CertificateRequestTests {
    static func expectation(_ key: SigningKey, probe: DeviceID? = Run.id) -> RequestExpectation {
        RequestExpectation(
            identity: Run.expectation.identity, publicKey: key.publicKey, probedID: probe)
    }

    static func request(_ names: [String], _ key: SigningKey) throws -> [UInt8] {
        let subject = try DistinguishedName(names.map { .init(.commonName, $0) })
        return try CertificateRequest(subject: subject, key: key).der
    }

    @Test func aRequestOfTheExpectedDevice() throws {
        let key = try SigningKey.generate()
        let der = try Self.request([Run.id.description], key)
        let result = try Verifier.appraise(request: der, against: Self.expectation(key))
        #expect(result.identity == Run.expectation.identity)
        #expect(result.publicKey == key.publicKey)
        #expect(result.thumbprint == COSEKey(p256: key.publicKey)?.thumbprint)
        #expect(result.evidence == der)
        #expect(result.isProbeBound)
        #expect(!result.isFresh)
        #expect(result.storedCredentials.isEmpty)
        let unbound = try Verifier.appraise(
            request: der, against: Self.expectation(key, probe: nil))
        #expect(!unbound.isProbeBound)
    }

    @Test(arguments: [
        [], ["77b0000000000001"], ["1F0C5A9922EE4B07"], ["1f0c5a9922ee4b07", "1f0c5a9922ee4b07"],
    ])
    func anotherNameIsRefused(names: [String]) throws {
        let key = try SigningKey.generate()
        let der = try Self.request(names, key)
        #expect(throws: AppraisalError.subjectMismatch(announced: Run.id, claimed: names)) {
            try Verifier.appraise(request: der, against: Self.expectation(key))
        }
    }

    @Test func anotherKeyOrProbedIDIsRefused() throws {
        let key = try SigningKey.generate()
        let other = try SigningKey.generate()
        let der = try Self.request([Run.id.description], key)
        #expect(
            throws: AppraisalError.keyMismatch(
                announced: other.publicKey, claimed: key.publicKey)
        ) { try Verifier.appraise(request: der, against: Self.expectation(other)) }
        #expect(throws: AppraisalError.probeMismatch(probe: Run.otherID, claimed: Run.id)) {
            try Verifier.appraise(
                request: der, against: Self.expectation(key, probe: Run.otherID))
        }
    }

    @Test func aMutatedOctetNeverYieldsAResult() throws {
        let key = try SigningKey.generate()
        let der = try Self.request([Run.id.description], key)
        for index in der.indices {
            for mask: UInt8 in [0x01, 0x20, 0x80, 0xff] {
                var mutated = der
                mutated[index] ^= mask
                #expect(throws: AppraisalError.self, "octet \(index), mask \(mask)") {
                    try Verifier.appraise(request: mutated, against: Self.expectation(key))
                }
            }
        }
        let error = #expect(throws: AppraisalError.self) {
            try Verifier.appraise(request: [], against: Self.expectation(key))
        }
        #expect(error?.code == .csrRefused)
    }
}
