import COSE
import Issuance
import OpenSSL
import Testing

@Suite struct IssuancePlanTests {
    private let key: SigningKey
    private let plan: IssuancePlan

    init() throws {
        key = try SigningKey.generate()
        plan = IssuancePlan(
            deviceID: "00c0ffee", board: "microbit", publicKey: key.publicKey,
            types: [.x509Chain, .cwt],
            serialNumbers: [.x509Chain: [1], .cwt: [2]],
            notBefore: NumericDate(seconds: 1_800_000_000),
            notAfter: NumericDate(seconds: 1_900_000_000))
    }

    private func issuer() throws -> Certificate {
        let root = try AuthorityCertificateProfile.root(
            name: "Test", publicKey: key.publicKey, serialNumber: [1], notBefore: plan.notBefore
        ).signed(by: key)
        return try AuthorityCertificateProfile.issuing(
            name: "Test", publicKey: key.publicKey, serialNumber: [2], notBefore: plan.notBefore,
            root: root
        ).signed(by: key)
    }

    @Test func acceptsAGoodPlan() throws {
        try plan.validate()
        var endless = plan
        endless.notAfter = nil
        try endless.validate()
    }

    /// What is wrong with a plan, and words of the reason that name it.
    static let faults: [(words: String, change: @Sendable (inout IssuancePlan) -> Void)] = [
        ("no credential type", { $0.types = [] }),
        ("\"\" is not lower-case hexadecimal", { $0.deviceID = "" }),
        ("\"00C0FFEE\"", { $0.deviceID = "00C0FFEE" }),
        ("\"abc\"", { $0.deviceID = "abc" }),
        ("\"0g\"", { $0.deviceID = "0g" }),
        ("33 octets", { $0.deviceID = String(repeating: "ab", count: 33) }),
        ("\"\"", { $0.board = "" }),
        ("a\\nb", { $0.board = "a\nb" }),
        ("printable", { $0.board = "a\u{202e}b" }),
        ("1 to 64 printable characters", { $0.board = String(repeating: "ö", count: 65) }),
        ("no serial number for x509Chain", { $0.serialNumbers[.x509Chain] = nil }),
        ("no serial number for cwt", { $0.serialNumbers[.cwt] = nil }),
        ("x509Chain is not positive", { $0.serialNumbers[.x509Chain] = [] }),
        ("x509Chain is not positive", { $0.serialNumbers[.x509Chain] = [0, 0] }),
        ("20 octets", { $0.serialNumbers[.x509Chain] = Array(repeating: 1, count: 21) }),
        ("20 octets", { $0.serialNumbers[.x509Chain] = Array(repeating: 0x80, count: 20) }),
        ("cwt is not positive", { $0.serialNumbers[.cwt] = [0] }),
        ("before it begins at 1800000000", { $0.notAfter = $0.notBefore }),
        ("is not a second from 1950", { $0.notBefore = NumericDate(seconds: .min) }),
        ("is not a second from 1950", { $0.notAfter = NumericDate(seconds: .max) }),
        ("expected 65 octets", { $0.publicKey = [] }),
        ("import the public key", { $0.publicKey[64] ^= 1 }),
        ("an X.509 certificate needs y", { $0.publicKey = Array($0.publicKey[1...32]) }),
    ]

    @Test(arguments: faults.indices)
    func namesWhatIsWrong(_ index: Int) throws {
        var plan = plan
        Self.faults[index].change(&plan)
        let error = #expect(throws: IssuanceError.self) { try plan.validate() }
        #expect(error?.reason.contains(Self.faults[index].words) == true, "\(error as Any)")
        // Neither path signs what `validate` refuses.
        #expect(throws: IssuanceError.self) { try plan.claims(issuer: "Test") }
        #expect(throws: IssuanceError.self) {
            try DeviceCertificateProfile().template(for: plan, issuer: issuer())
        }
    }

    @Test func anchorsNeedNoSerialNumber() throws {
        var plan = plan
        plan.types = [.trustAnchors]
        plan.serialNumbers = [:]
        try plan.validate()
    }

    @Test func longIDsFitIntoTokens() throws {
        var plan = plan
        plan.types = [.cwt]
        plan.deviceID = String(repeating: "ab", count: 64)
        #expect(try plan.claims(issuer: "Test").subject == plan.deviceID)
    }

    @Test func longNamesLeaveTheID() throws {
        var plan = plan
        plan.deviceID = String(repeating: "ab", count: 32)
        let template = try DeviceCertificateProfile().template(for: plan, issuer: issuer())
        #expect(template.subject[.commonName] == plan.deviceID)
        #expect(template.subject[.serialNumber] == plan.deviceID)
        plan.deviceID = "ab"
        plan.board = String(repeating: "b", count: 61)
        #expect(
            try DeviceCertificateProfile().template(for: plan, issuer: issuer())
                .subject[.commonName] == plan.board + " ab")
    }

    @Test func templateIsAFunctionOfItsArguments() throws {
        let issuer = try issuer()
        let template = try DeviceCertificateProfile().template(for: plan, issuer: issuer)
        #expect(template == (try DeviceCertificateProfile().template(for: plan, issuer: issuer)))
        let (one, other) = (try template.signed(by: key), try template.signed(by: key))
        #expect(one == (try Certificate(der: one.der)))
        #expect(one.serialNumber == other.serialNumber)
        #expect(template.notAfter.seconds == plan.notAfter?.seconds)
        #expect(template.issuer == issuer.subject)
    }
}
