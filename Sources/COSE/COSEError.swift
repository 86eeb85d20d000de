public import CBOR

/// Why bytes are not the COSE message, key or token that was asked for.
public enum COSEError: Error, Hashable, Sendable {
    /// Not one CBOR item of the required form.
    case encoding(CBORError)
    /// Another CBOR item than the one expected, in words.
    case structure(String)
    /// RFC 9052 §2: this message has to be tagged, or must not be.
    case tag(expected: UInt64, found: UInt64?)
    /// A header parameter in the wrong bucket, twice, or of the wrong type, in words.
    case header(String)
    /// RFC 9052 §3.1: a parameter that the sender calls critical and nobody here understands.
    case criticalHeader(CBORValue)
    /// The payload is not in the message, RFC 9052 §4.1.
    case detachedPayload
    /// The algorithm is not one that this kind of key can be used with.
    case algorithm(COSEAlgorithm, key: String)
    /// Not a public key that can be used, in words.
    case key(String)
    /// The signature is not that key's signature over these bytes.
    case signature
    /// A claim of the wrong type or out of its range, RFC 8392 §3.
    case claim(Int64, String)
    case expired(at: NumericDate, now: NumericDate)
    case notYetValid(before: NumericDate, now: NumericDate)
}

extension COSEError: CustomStringConvertible {
    /// Lower case, no full stop, with both values where there are two.
    public var description: String {
        switch self {
        case .encoding(let error): "not the expected CBOR: \(error)"
        case .structure(let reason): reason
        case .tag(let expected, let found?): "expected tag \(expected), found tag \(found)"
        case .tag(let expected, nil): "expected tag \(expected), found none"
        case .header(let reason): reason
        case .criticalHeader(let label):
            "the critical header parameter \(COSEHeader.describe(label)) is unknown"
        case .detachedPayload: "the payload is detached"
        case .algorithm(let algorithm, let key): "\(algorithm) does not go with a \(key) key"
        case .key(let reason): reason
        case .signature: "the signature does not verify"
        case .claim(let claim, let reason): "claim \(claim): \(reason)"
        case .expired(let at, let now):
            "expired at \(at.seconds), and it is \(now.seconds)"
        case .notYetValid(let before, let now):
            "not valid before \(before.seconds), and it is \(now.seconds)"
        }
    }
}
