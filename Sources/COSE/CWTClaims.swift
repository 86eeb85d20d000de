public import CBOR

/// The claims of a CBOR Web Token, RFC 8392 §3.1, with its proof-of-possession key, RFC 8747.
public struct CWTClaims: Hashable, Sendable {
    public var issuer: String?
    public var subject: String?
    public var audience: String?
    /// On or after which the token must not be accepted, RFC 8392 §3.1.4.
    public var expiration: NumericDate?
    public var notBefore: NumericDate?
    public var issuedAt: NumericDate?
    /// The token's own ID, `cti`.
    public var tokenID: [UInt8]?
    public var confirmation: Confirmation?
    /// Every other claim, by its key, as it came.
    public var other: CBORMap

    /// Which key the presenter has to prove possession of, RFC 8747 §3.
    public enum Confirmation: Hashable, Sendable {
        case key(COSEKey)
        /// The ID of a key that the recipient knows.
        case keyID([UInt8])
    }

    /// Keys of the registered claims, RFC 8392 §4 and RFC 8747 §7.1.
    public enum Claim {
        public static let issuer: Int64 = 1
        public static let subject: Int64 = 2
        public static let audience: Int64 = 3
        public static let expiration: Int64 = 4
        public static let notBefore: Int64 = 5
        public static let issuedAt: Int64 = 6
        public static let tokenID: Int64 = 7
        public static let confirmation: Int64 = 8
    }

    public init(
        issuer: String? = nil, subject: String? = nil, audience: String? = nil,
        expiration: NumericDate? = nil, notBefore: NumericDate? = nil,
        issuedAt: NumericDate? = nil, tokenID: [UInt8]? = nil,
        confirmation: Confirmation? = nil, other: CBORMap = CBORMap()
    ) {
        self.issuer = issuer
        self.subject = subject
        self.audience = audience
        self.expiration = expiration
        self.notBefore = notBefore
        self.issuedAt = issuedAt
        self.tokenID = tokenID
        self.confirmation = confirmation
        self.other = other
    }

    /// Whether the token may be accepted at `now`, RFC 8392 §3.1.4 and §3.1.5.
    ///
    /// - Parameter leeway: Seconds by which the two clocks may differ.
    /// - Throws: `COSEError.expired` or `.notYetValid`.
    public func checkValidity(at now: NumericDate, leeway: UInt32 = 0) throws(COSEError) {
        if let expiration, now.seconds.subtractingSaturated(leeway) >= expiration.seconds {
            throw .expired(at: expiration, now: now)
        }
        if let notBefore, now.seconds.addingSaturated(leeway) < notBefore.seconds {
            throw .notYetValid(before: notBefore, now: now)
        }
    }
}

extension Int64 {
    // A date in a token may be any 64-bit number.
    fileprivate func addingSaturated(_ seconds: UInt32) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(Int64(seconds))
        return overflow ? .max : sum
    }

    fileprivate func subtractingSaturated(_ seconds: UInt32) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(Int64(seconds))
        return overflow ? .min : difference
    }
}
