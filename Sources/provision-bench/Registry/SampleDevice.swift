import Attestation
import COSE
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry

/// A device that exists on paper: as many octets everywhere as of a real one, none of them signed.
/// The registry keeps what it is given; what the signatures cost is measured elsewhere.
struct SampleDevice {
    let number: Int
    /// 0 for the first key; a device that was flashed again has another.
    var generation = 0
    /// SHA-256 of the issuing key.
    let issuer: [UInt8]

    static let date = NumericDate(seconds: 1_795_000_000)

    var identity: DeviceIdentity {
        guard let id = DeviceID(Array(seed("id").prefix(8))) else {
            preconditionFailure("8 octets are a device ID")
        }
        return DeviceIdentity(board: "microbit", id: id)
    }

    var thumbprint: [UInt8] { keySeed("thumbprint") }
    var serialNumber: [UInt8] { [0x41] + keySeed("serial").prefix(15) }

    /// With the lengths of Scripts/demo: 282 octets of evidence, and of confirmation.
    var claim: RegistrationClaim {
        RegistrationClaim(
            identity: identity, keyID: 1, algorithm: -7,
            publicKey: [0x04] + keySeed("x") + keySeed("y"), thumbprint: thumbprint,
            evidence: filler("evidence", 282), basis: .physicalPresence, isImported: false,
            firmwareDigest: SHA256.hash("firmware".utf8), grounds: [.flashed, .probeRead])
    }

    var confirmation: [UInt8] { filler("confirmation", 282) }

    var credentials: [Credential] { [certificate, token] }

    private var certificate: Credential {
        Credential(
            type: .x509Chain, bytes: filler("chain", 920), serialNumber: serialNumber,
            issuer: issuer, notBefore: Self.date, notAfter: nil)
    }

    private var token: Credential {
        Credential(
            type: .cwt, bytes: filler("token", 250),
            serialNumber: [0x42] + keySeed("token").prefix(15), issuer: SHA256.hash(issuer),
            notBefore: Self.date, notAfter: nil)
    }

    /// The same device with another key.
    func flashedAgain(_ generation: Int) -> SampleDevice {
        var copy = self
        copy.generation = generation
        return copy
    }

    private func seed(_ name: String) -> [UInt8] { SHA256.hash("\(name) \(number)".utf8) }

    private func keySeed(_ name: String) -> [UInt8] { seed("\(generation) \(name)") }

    private func filler(_ name: String, _ count: Int) -> [UInt8] {
        keySeed(name) + [UInt8](repeating: 0x5A, count: count - SHA256.length)
    }
}
