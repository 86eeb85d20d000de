import Attestation
import CBOR
import COSE
import Foundation
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

/// `peers.yml` of Ariel OS: who may do what with a CoAP server, compiled into its firmware. Its form is
/// "still in flux", says `src/ariel-os-coap/build.rs`, which reads it.
struct ArielPeers {
    let scopes: [ScopeRule]
    let unauthenticated: AccessScope?

    /// What comes before the devices.
    var head: String {
        var text = "# Made by provision export --format ariel-peers: every key in force.\n"
        if let unauthenticated {
            text += "- from: unauthenticated\n  scope:" + unauthenticated.yaml(indentation: "    ")
        }
        return text
    }

    /// The rule for a device: the first that names it, else the first that is for all.
    func rule(for key: KeyRecord) -> ScopeRule? {
        let fitting = scopes.filter { $0.matches(key) }
        return fitting.first { $0.group != nil } ?? fitting.first
    }

    func entry(_ key: KeyRecord, _ credential: PeerCredential, _ rule: ScopeRule) -> String {
        // No nickname: a new one would have firmware built anew.
        "# \(Table.printable("\(key.identity)"))\n- kccs: |\n    \(credential.claimsSet)\n  scope:"
            + rule.scope.yaml(indentation: "    ")
    }

    /// A list without entries is none at all to YAML.
    static let empty = "[]\n"
}

/// Where a device is found.
struct DevicePlace {
    static let placeholders = ["{id}", "{board}", "{nickname}"]
    /// RFC 3986 §2.3. A client takes an asterisk for any host.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    let template: String

    /// Nil if the device lacks what the template asks for.
    func uri(of key: KeyRecord) -> String? {
        let values = [key.identity.id.description, key.identity.board, key.nickname]
        var uri = template
        for (placeholder, value) in zip(Self.placeholders, values) where uri.contains(placeholder) {
            guard let value else { return nil }
            uri.replace(
                placeholder,
                with: value.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? "")
        }
        return uri
    }
}

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
