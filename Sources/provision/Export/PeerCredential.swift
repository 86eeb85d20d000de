import Attestation
import CBOR
import COSE
import Provisioning
import Registry

/// What others take a device for when they speak EDHOC with it: an unsigned CWT Claims Set with its public
/// key, RFC 9528 §3.5.2.
struct PeerCredential {
    /// In CBOR diagnostic notation.
    let claimsSet: String

    /// Octets of the key ID where the device has not chosen one. Implementations of EDHOC on small devices
    /// take 16 at most (lakers 0.7, `BufferKid`).
    private static let keyIDLength = 8

    /// What the device has reported, to the letter: peers compare credentials as a whole. If it has reported
    /// none, one that holds its key, under the first octets of its thumbprint.
    ///
    /// - Throws: `.registryDamaged` if the registry's evidence is missing, or its key is none.
    init(of key: KeyRecord, in registry: SQLiteRegistry) throws(ProvisioningError) {
        guard let document = try registry.document(key.evidenceDigest) else {
            throw ProvisioningError(
                .registryDamaged, "the evidence of \(key.thumbprint.hexadecimal) is missing")
        }
        do throws(EvidenceError) {
            if let report = try ReportedClaimsSet(document: document) {
                claimsSet = report.claimsSet
                return
            }
        } catch {
            throw ProvisioningError(
                .registryDamaged, "the report of \(key.thumbprint.hexadecimal) is none: \(error)")
        }
        let keyID = Array(key.thumbprint.prefix(Self.keyIDLength))
        guard
            let key = COSEKey(p256: key.publicKey, keyID: keyID)
                ?? COSEKey(p256X: key.publicKey, keyID: keyID)
        else {
            throw ProvisioningError(
                .registryDamaged, "key \(key.thumbprint.hexadecimal) is no P-256 point")
        }
        var parameters = key.cbor.map ?? [:]
        // As deterministic encoding has them: who reads it encodes it so.
        parameters.pairs.sort {
            $0.key.encoded().lexicographicallyPrecedes($1.key.encoded())
        }
        let confirmation: CBORMap = [.int(CWTClaims.Confirmation.keyMethod): .map(parameters)]
        claimsSet =
            CBORValue.map([.int(CWTClaims.Claim.confirmation): .map(confirmation)])
            .diagnosticNotation
    }
}
