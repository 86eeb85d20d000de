public import CBOR

extension CWTClaims {
    /// The claims set as a map; its encoding is deterministic.
    public var cbor: CBORValue {
        var map = other
        map[.int(Claim.issuer)] = issuer.map(CBORValue.text)
        map[.int(Claim.subject)] = subject.map(CBORValue.text)
        map[.int(Claim.audience)] = audience.map(CBORValue.text)
        map[.int(Claim.expiration)] = expiration.map { .int($0.seconds) }
        map[.int(Claim.notBefore)] = notBefore.map { .int($0.seconds) }
        map[.int(Claim.issuedAt)] = issuedAt.map { .int($0.seconds) }
        map[.int(Claim.tokenID)] = tokenID.map(CBORValue.bytes)
        map[.int(Claim.confirmation)] = confirmation.map(\.cbor)
        return .map(map)
    }

    /// Reads a claims set.
    ///
    /// - Throws: `COSEError.claim` if a registered claim has another type than RFC 8392 gives it,
    ///   `COSEError.key` if `cnf` holds a key that can't be used.
    public init(cbor: CBORValue) throws(COSEError) {
        guard var rest = cbor.map else { throw .structure("a CWT claims set is a map") }
        for pair in rest.pairs {
            switch pair.key {
            case .unsigned, .negative, .text: continue
            default: throw .structure("a claim key is neither integer nor text")
            }
        }
        issuer = try Self.take(Claim.issuer, from: &rest, "not text", \.text)
        subject = try Self.take(Claim.subject, from: &rest, "not text", \.text)
        audience = try Self.take(Claim.audience, from: &rest, "not text", \.text)
        expiration = try Self.take(Claim.expiration, from: &rest, "no date", Self.date)
        notBefore = try Self.take(Claim.notBefore, from: &rest, "no date", Self.date)
        issuedAt = try Self.take(Claim.issuedAt, from: &rest, "no date", Self.date)
        tokenID = try Self.take(Claim.tokenID, from: &rest, "not a byte string", \.bytes)
        if let value = rest[.int(Claim.confirmation)] {
            confirmation = try Confirmation(cbor: value)
            rest[.int(Claim.confirmation)] = nil
        } else {
            confirmation = nil
        }
        other = rest
    }

    private static func take<T>(
        _ claim: Int64, from rest: inout CBORMap, _ complaint: String, _ read: (CBORValue) -> T?
    ) throws(COSEError) -> T? {
        guard let value = rest[.int(claim)] else { return nil }
        guard let result = read(value) else { throw .claim(claim, complaint) }
        rest[.int(claim)] = nil
        return result
    }

    /// RFC 8392 §2: a number without a tag; fractions of a second are dropped.
    private static func date(_ value: CBORValue) -> NumericDate? {
        if case .float(let seconds) = value {
            return Int64(exactly: seconds.rounded(.down)).map(NumericDate.init(seconds:))
        }
        return value.integer.map(NumericDate.init(seconds:))
    }
}

extension CWTClaims.Confirmation {
    // RFC 8747 §7.2. Method 2 is an encrypted key, for symmetric ones.
    package static let keyMethod: Int64 = 1
    private static let keyIDMethod: Int64 = 3

    var cbor: CBORValue {
        var map = CBORMap()
        switch self {
        case .key(let key): map[.int(Self.keyMethod)] = key.cbor
        case .keyID(let keyID): map[.int(Self.keyIDMethod)] = .bytes(keyID)
        }
        return .map(map)
    }

    init(cbor: CBORValue) throws(COSEError) {
        let claim = CWTClaims.Claim.confirmation
        guard let map = cbor.map, map.pairs.count == 1 else {
            throw .claim(claim, "not a map of one confirmation method")
        }
        if let key = map[.int(Self.keyMethod)] {
            self = .key(try COSEKey(cbor: key))
        } else if let keyID = map[.int(Self.keyIDMethod)]?.bytes {
            self = .keyID(keyID)
        } else {
            throw .claim(claim, "neither a COSE_Key nor a key ID")
        }
    }
}
