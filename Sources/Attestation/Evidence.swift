internal import CBOR
public import COSE

/// What a device says about itself and its key, RFC 9334 §8.1: an Entity Attestation Token
/// (RFC 9711) in a COSE_Sign1 (RFC 9052). Unverified: anyone can have written it.
public struct Evidence: Hashable, Sendable {
    /// As received.
    public let bytes: [UInt8]
    /// The Sig_structure over the bytes as received, RFC 9052 §4.4.
    public let signedBytes: [UInt8]
    /// From the protected header.
    public let algorithm: COSEAlgorithm
    /// 8 to 64 octets.
    public let nonce: [UInt8]
    /// 17 octets; the Verifier checks that it is derived from the identity.
    public let ueid: [UInt8]
    public let identity: DeviceIdentity
    /// The key that the evidence introduces and is signed with, RFC 8747 §3.1.
    public let key: COSEKey
    /// SHA-256 of each credential that the device stores, by credential type.
    public let storedCredentials: [UInt64: [UInt8]]

    let message: COSESign1

    /// Claim 265, RFC 9711 §4.3.2.
    public static let profile = "tag:provision,2026:evidence#1"

    /// Octets. A device's evidence has about 400; extra claims have room.
    public static let maximumLength = 4096

    /// Keys of the profile's own claims.
    enum Claim {
        static let deviceID: Int64 = -65537
        static let board: Int64 = -65538
        static let storedCredentials: Int64 = -65539
    }

    /// Reads a tagged COSE_Sign1 in deterministic CBOR with every claim of the profile. Claims that
    /// the profile does not know are ignored; header parameters are not, since the unprotected ones
    /// are not signed.
    public init(_ bytes: [UInt8]) throws(EvidenceError) {
        guard bytes.count <= Self.maximumLength else { throw .oversized(bytes.count) }
        let message: COSESign1
        do throws(COSEError) {
            message = try COSESign1.decode(bytes, tag: .required, form: .deterministic)
        } catch {
            throw .message(error)
        }
        guard message.unprotected.pairs.isEmpty else {
            throw .message(.header("the unprotected header is not empty"))
        }
        let claims = try EvidenceClaims(payload: message.payload)
        self.bytes = bytes
        self.message = message
        signedBytes = message.signedBytes()
        algorithm = message.algorithm
        // The profile says what the other claims mean, so it is first.
        try claims.checkProfile()
        try claims.checkIntendedUse()
        nonce = try claims.nonce()
        ueid = try claims.ueid()
        identity = DeviceIdentity(board: try claims.board(), id: try claims.deviceID())
        storedCredentials = try claims.storedCredentials()
        key = try claims.key()
    }
}
