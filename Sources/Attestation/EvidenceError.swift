public import COSE

/// Why bytes are not evidence that a Verifier could appraise.
public enum EvidenceError: Error, Hashable, Sendable {
    /// More octets than ``Evidence/maximumLength``.
    case oversized(Int)
    /// Not a COSE_Sign1 of the required form.
    case message(COSEError)
    /// The payload is not a deterministic CBOR map.
    case claims(COSEError)
    case missingClaim(Int64)
    /// A claim with a value that the profile does not allow, in words.
    case invalidClaim(Int64, String)
    /// Another profile, whose claims mean something else; nil: none, or not text.
    case profile(String?)
    /// `cnf` holds no public key that could be used.
    case key(COSEError)
    /// A report line whose base64url does not decode.
    case encoding
    /// A report line of another project's notation that isn't whole, in words.
    case notation(String)

    public var code: RefusalCode {
        switch self {
        case .oversized, .message, .claims, .missingClaim, .invalidClaim, .encoding,
            .notation:
            .evidenceMalformed
        case .profile: .evidenceProfile
        case .key: .keyInvalid
        }
    }
}

extension EvidenceError: CustomStringConvertible {
    /// Lower case, no full stop, with both values where there are two.
    public var description: String {
        switch self {
        case .oversized(let count):
            "the evidence has \(count) octets, the limit is \(Evidence.maximumLength)"
        case .message(let error): "the evidence is no signed message: \(error)"
        case .claims(let error): "the evidence has no claims set: \(error)"
        case .missingClaim(let claim): "the evidence lacks claim \(claim)"
        case .invalidClaim(let claim, let reason): "claim \(claim) of the evidence \(reason)"
        case .profile(let found):
            "the evidence has the profile \(found.map(\.debugDescription) ?? "none"), "
                + "expected \(Evidence.profile.debugDescription)"
        case .key(let error): "the evidence's key cannot be used: \(error)"
        case .encoding: "the report line is not base64url"
        case .notation(let reason): reason
        }
    }
}
