import Attestation
import CBOR
import COSE
import OpenSSL

/// Makes the evidence that a device with this key and identity would.
struct SimulatedDevice {
    var key: SigningKey
    var identity = Run.expectation.identity
    var stored: [UInt64: [UInt8]] = [:]

    init() throws { key = try SigningKey.generate() }

    var expectation: Attestation.Expectation {
        Attestation.Expectation(
            nonce: Run.nonce, identity: identity, publicKey: key.publicKey,
            algorithm: .es256, probedID: nil)
    }

    func evidence(_ nonce: [UInt8]) throws -> Evidence {
        var hashes = CBORMap()
        for (type, hash) in stored { hashes[.unsigned(type)] = .bytes(hash) }
        let claims: CBORMap = [
            8: [1: COSEKey(p256: key.publicKey)!.cbor],
            10: .bytes(nonce),
            256: .bytes(UEID.derive(identity)),
            265: .text(Evidence.profile),
            275: 3,
            -65537: .bytes(identity.id.bytes),
            -65538: .text(identity.board),
            -65539: .map(hashes),
        ]
        let message = try COSESign1.sign(payload: CBORValue.map(claims).encoded(), using: key)
        return try Evidence(message.encoded())
    }
}
