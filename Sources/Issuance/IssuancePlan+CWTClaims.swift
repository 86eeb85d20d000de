public import COSE
internal import CBOR
internal import OpenSSL

extension IssuancePlan {
    /// Private claim of the board type, as in evidence; private keys are below −65536, RFC 8392
    /// §9.1.
    public static let boardClaim: Int64 = -65538

    /// What a CWT for this plan says: RFC 8392, with the device's key as `cnf`, RFC 8747, and its
    /// UEID, RFC 9711 §4.2.1.
    ///
    /// - Parameter issuer: `iss`, the authority's name.
    /// - Throws: `IssuanceError` if the plan is not valid or has no serial number for a CWT.
    public func claims(issuer: String) throws(IssuanceError) -> CWTClaims {
        try validate()
        guard let tokenID = serialNumbers[.cwt] else {
            throw IssuanceError("the plan has no serial number for \(CredentialType.cwt)")
        }
        guard let key = COSEKey(p256: publicKey) ?? COSEKey(p256X: publicKey) else {
            throw IssuanceError("the public key is not an uncompressed P-256 point")
        }
        var other = CBORMap()
        other[.int(EATClaim.ueid)] = .bytes(ueid)
        other[.int(Self.boardClaim)] = .text(board)
        return CWTClaims(
            issuer: issuer, subject: deviceID, expiration: notAfter, notBefore: notBefore,
            issuedAt: notBefore, tokenID: tokenID, confirmation: .key(key), other: other)
    }

    /// UEID of type RAND: 0x01 and 16 octets of SHA-256(board ‖ 0x00 ‖ id), as devices compute it.
    private var ueid: [UInt8] {
        let digits = deviceID.utf8.map { $0 < 0x40 ? $0 - 0x30 : $0 - 0x61 + 10 }
        let id = stride(from: 0, to: digits.count - 1, by: 2)
            .map { digits[$0] << 4 | digits[$0 + 1] }
        return [0x01] + SHA256.hash(Array(board.utf8) + [0x00] + id).prefix(16)
    }
}
