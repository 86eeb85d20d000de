public import CBOR
public import OpenSSL

/// A CBOR Web Token that one key signed, RFC 8392. Decoding does not verify it.
public struct CWT: Hashable, Sendable {
    /// The signed message as received.
    public let message: COSESign1
    /// What the token says, whoever wrote it: to find a key by, not to rely upon.
    public let unverifiedClaims: CWTClaims

    /// CBOR tag of a CWT, which stands in front of the COSE tag. RFC 8392 §6.
    public static let tag: UInt64 = 61

    /// Reads a COSE_Sign1 with its tag, or with the CWT tag and its tag.
    public static func decode(_ bytes: [UInt8]) throws(COSEError) -> CWT {
        var item = try CBORValue.decodeItem(bytes, form: .wellFormed)
        if case .tagged(tag, let content) = item { item = content }
        let message = try COSESign1(cbor: item, tag: .required)
        let claims = try CBORValue.decodeItem(message.payload, form: .wellFormed)
        return CWT(message: message, unverifiedClaims: try CWTClaims(cbor: claims))
    }

    /// What the token says, once `key` is known to have signed it and `now` lies in its time.
    ///
    /// - Parameter leeway: Seconds by which the two clocks may differ.
    /// - Throws: `COSEError.algorithm`, `.key`, `.signature`, `.expired` or `.notYetValid`.
    public func claims(
        signedBy key: COSEKey, at now: NumericDate, leeway: UInt32 = 0
    ) throws(COSEError) -> CWTClaims {
        try message.verify(with: key)
        try unverifiedClaims.checkValidity(at: now, leeway: leeway)
        return unverifiedClaims
    }

    public static func sign(
        _ claims: CWTClaims, keyID: [UInt8]? = nil, protected: CBORMap = CBORMap(),
        using signer: some COSESigner
    ) throws(OpenSSLError) -> CWT {
        let message = try COSESign1.sign(
            payload: claims.cbor.encoded(), keyID: keyID, protected: protected, using: signer)
        return CWT(message: message, unverifiedClaims: claims)
    }

    /// - Parameter isTagged: Whether the CWT tag goes in front; the COSE tag always does.
    public func encoded(isTagged: Bool = false) -> [UInt8] {
        let item = message.cbor()
        return (isTagged ? CBORValue.tagged(Self.tag, item) : item).encoded()
    }
}
