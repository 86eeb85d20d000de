import Attestation
import CBOR
import COSE
import Issuance
import OpenSSL

/// What a device sends, made here: the device's own time must not count.
struct SimulatedDevice {
    let identity: DeviceIdentity
    let nonce: [UInt8]
    let evidence: [UInt8]
    /// PKCS#10.
    let request: [UInt8]
    private let publicKey: [UInt8]

    init(number: Int) throws {
        let octets = withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
        guard let id = DeviceID(octets) else { throw Failure("\(octets) is no device ID") }
        identity = DeviceIdentity(board: "bench", id: id)
        nonce = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32)
        let key = try SigningKey.generate()
        publicKey = key.publicKey
        guard let coseKey = COSEKey(p256: publicKey) else { throw Failure("no P-256 point") }
        let claims: CBORMap = [
            8: [1: coseKey.cbor],
            10: .bytes(nonce),
            256: .bytes(UEID.derive(identity)),
            265: .text(Evidence.profile),
            275: 3,
            -65537: .bytes(identity.id.bytes),
            -65538: .text(identity.board),
            -65539: [:],
        ]
        evidence = try COSESign1.sign(payload: CBORValue.map(claims).encoded(), using: key)
            .encoded()
        let subject = try DistinguishedName([.init(.commonName, id.description)])
        request = try CertificateRequest(subject: subject, key: key).der
    }

    var expectation: Expectation {
        Expectation(
            nonce: nonce, identity: identity, publicKey: publicKey, algorithm: .es256,
            probedID: nil)
    }

    var requestExpectation: RequestExpectation {
        RequestExpectation(identity: identity, publicKey: publicKey, probedID: nil)
    }

    func plan(_ type: CredentialType, _ now: NumericDate) -> IssuancePlan {
        IssuancePlan(
            deviceID: identity.id.description, board: identity.board, publicKey: publicKey,
            types: [type], serialNumbers: [type: [0x40] + nonce.prefix(15)], notBefore: now,
            notAfter: nil)
    }
}
