import CBOR
import COSE

/// A file of credentials for aiocoap's clients, `credentials.diag`: how each device is spoken to.
struct AiocoapCredentials {
    /// The client's own.
    struct Client {
        let keyFile: String
        let claimsSet: String
        let hasKeyID: Bool

        /// - Throws: `COSEError.key` for what is no claims set with one key.
        init(keyFile: String, claims: CBORValue) throws {
            let confirmation = claims.map?[.int(CWTClaims.Claim.confirmation)]?.map
            guard let item = confirmation?[.int(CWTClaims.Confirmation.keyMethod)] else {
                throw COSEError.key("there is no COSE_Key in it")
            }
            let key = try COSEKey(cbor: item, allowsXOnly: true)
            hasKeyID = key.keyID != nil
            claimsSet = claims.diagnosticNotation
            self.keyFile = keyFile
        }
    }

    let client: Client?

    private var own: String {
        guard let client else { return "\"own_cred\": {\"unauthenticated\": true}" }
        return """
            "own_cred_style": "by-\(client.hasKeyID ? "key-id" : "value")", \
            "own_cred": {14: \(client.claimsSet)}, \
            "private_key_file": \(CBORValue.text(client.keyFile).diagnosticNotation)
            """
    }

    /// EDHOC's method 3 is static Diffie-Hellman on both sides, suite 2 is P-256 with AES-CCM-16-64-128:
    /// RFC 9528 §3.2 and §3.6. Both are what Ariel OS has.
    func entry(_ uri: String, _ credential: PeerCredential) -> String {
        """
        \(CBORValue.text(uri).diagnosticNotation): {"edhoc-oscore": {"suite": 2, "method": 3, \
        \(own), "peer_cred": {14: \(credential.claimsSet)}}}
        """
    }
}
