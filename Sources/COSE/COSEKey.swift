public import CBOR
public import OpenSSL

/// A public COSE_Key, RFC 9052 §7 and RFC 9053 §7.
///
/// An encoded key that carries private material is refused: no private key has business here.
public struct COSEKey: Hashable, Sendable {
    public enum Material: Hashable, Sendable {
        /// EC2 on P-256: the uncompressed point `0x04 ‖ x ‖ y`, 65 octets, SEC 1 §2.3.3.
        /// Whether it lies on the curve shows in ``verificationKey()``.
        case p256(point: [UInt8])
        /// EC2 on P-256 of which only x is known, 32 octets: enough for a Diffie-Hellman that uses x
        /// alone, as EDHOC's (RFC 9528 §3.5.2), not for a signature or a SubjectPublicKeyInfo. Two
        /// points have it, and whoever has the private key of one has the other's.
        case p256X([UInt8])
        /// OKP on Ed25519: 32 octets, RFC 8032 §5.1.5.
        case ed25519([UInt8])
    }

    public let material: Material
    /// Free to choose, not unique. RFC 9052 §7.1.
    public var keyID: [UInt8]?
    /// Restricts the key to one algorithm. RFC 9052 §7.1.
    public let algorithm: COSEAlgorithm?

    /// Nil unless `point` is an uncompressed P-256 point by its length and first octet.
    public init?(p256 point: [UInt8], keyID: [UInt8]? = nil) {
        guard point.count == VerificationKey.pointLength, point[0] == 0x04 else { return nil }
        self.init(.p256(point: point), keyID: keyID, algorithm: nil)
    }

    /// Nil unless `x` is 32 octets long. Whether the curve has a point there shows in
    /// ``checkPoint()``.
    public init?(p256X x: [UInt8], keyID: [UInt8]? = nil) {
        guard x.count == P256Point.coordinateLength else { return nil }
        self.init(.p256X(x), keyID: keyID, algorithm: nil)
    }

    /// Nil unless `publicKey` is 32 octets long.
    public init?(ed25519 publicKey: [UInt8], keyID: [UInt8]? = nil) {
        guard publicKey.count == Self.ed25519Length else { return nil }
        self.init(.ed25519(publicKey), keyID: keyID, algorithm: nil)
    }

    init(_ material: Material, keyID: [UInt8]?, algorithm: COSEAlgorithm?) {
        self.material = material
        self.keyID = keyID
        self.algorithm = algorithm
    }

    /// Octets of an Ed25519 public key, RFC 8032 §5.1.5.
    static let ed25519Length = 32

    /// The key as devices and registries pass it: an uncompressed SEC 1 point, x alone where y is not
    /// known, or the raw Ed25519 key.
    public var publicKey: [UInt8] {
        switch material {
        case .p256(let point): point
        case .p256X(let x): x
        case .ed25519(let key): key
        }
    }

    /// Whether only the x of a point is known.
    public var isXOnly: Bool {
        if case .p256X = material { true } else { false }
    }

    /// COSE Key Thumbprint with SHA-256, 32 octets, RFC 9679 §4: of the required parameters only,
    /// with a point that is not compressed. Without y, which RFC 9679 requires, it is made in the same
    /// way of what there is: a name for this form of the key, and another than the whole key's.
    public var thumbprint: [UInt8] {
        SHA256.hash(CBORValue.map(requiredParameters).encoded())
    }

    /// Whether a signature of `algorithm` may be checked with this key.
    public func allows(_ algorithm: COSEAlgorithm) -> Bool {
        if let restriction = self.algorithm, restriction != algorithm { return false }
        return switch material {
        case .p256: algorithm == .es256 || algorithm == .esp256
        case .p256X: false
        case .ed25519: algorithm == .edDSA || algorithm == .ed25519
        }
    }

    /// `"P-256"` or `"Ed25519"`.
    var curveName: String {
        switch material {
        case .p256, .p256X: "P-256"
        case .ed25519: "Ed25519"
        }
    }
}

// MARK: - Encoding

extension COSEKey {
    enum Parameter {
        static let keyType: Int64 = 1
        static let keyID: Int64 = 2
        static let algorithm: Int64 = 3
        static let curve: Int64 = -1
        static let x: Int64 = -2
        static let y: Int64 = -3
        static let privateKey: Int64 = -4
    }

    // RFC 9053 §7, tables 17 and 18.
    private static let octetKeyPair: Int64 = 1
    private static let ellipticCurve: Int64 = 2
    private static let curveP256: Int64 = 1
    private static let curveEd25519: Int64 = 6

    private var requiredParameters: CBORMap {
        var map = CBORMap()
        switch material {
        case .p256(let point):
            map[.int(Parameter.keyType)] = .int(Self.ellipticCurve)
            map[.int(Parameter.curve)] = .int(Self.curveP256)
            map[.int(Parameter.x)] = .bytes(Array(point[1...P256Point.coordinateLength]))
            map[.int(Parameter.y)] = .bytes(Array(point[(1 + P256Point.coordinateLength)...]))
        case .p256X(let x):
            map[.int(Parameter.keyType)] = .int(Self.ellipticCurve)
            map[.int(Parameter.curve)] = .int(Self.curveP256)
            map[.int(Parameter.x)] = .bytes(x)
        case .ed25519(let key):
            map[.int(Parameter.keyType)] = .int(Self.octetKeyPair)
            map[.int(Parameter.curve)] = .int(Self.curveEd25519)
            map[.int(Parameter.x)] = .bytes(key)
        }
        return map
    }

    /// The COSE_Key map; its encoding is deterministic.
    public var cbor: CBORValue {
        var map = requiredParameters
        map[.int(Parameter.keyID)] = keyID.map(CBORValue.bytes)
        map[.int(Parameter.algorithm)] = algorithm.map { .int($0.rawValue) }
        return .map(map)
    }

    /// Reads a COSE_Key map. Parameters that are not known here are ignored.
    ///
    /// - Parameter allowsXOnly: whether a P-256 key may lack its y.
    /// - Throws: `COSEError.key` for another key type or curve, a coordinate of another length, a
    ///   sign bit without a point on the curve, or private material.
    public init(cbor: CBORValue, allowsXOnly: Bool = false) throws(COSEError) {
        guard let map = cbor.map else { throw .key("a COSE_Key is a map") }
        guard map[.int(Parameter.privateKey)] == nil else {
            throw .key("the COSE_Key carries a private key")
        }
        let type = map[.int(Parameter.keyType)]?.integer
        let curve = map[.int(Parameter.curve)]?.integer
        switch (type, curve) {
        case (Self.ellipticCurve, Self.curveP256):
            let x = try Self.x(of: map, count: P256Point.coordinateLength)
            let y = map[.int(Parameter.y)]
            material =
                y == nil && allowsXOnly
                ? .p256X(x) : .p256(point: try Self.point(x: x, y: y))
        case (Self.octetKeyPair, Self.curveEd25519):
            material = .ed25519(try Self.x(of: map, count: Self.ed25519Length))
        default:
            throw .key(
                "key type \(Self.describe(type)) with curve \(Self.describe(curve)) is not P-256 or Ed25519"
            )
        }
        keyID = try Self.optional(map[.int(Parameter.keyID)], named: "kid", \.bytes)
        algorithm = try Self.optional(map[.int(Parameter.algorithm)], named: "alg", \.integer)
            .map(COSEAlgorithm.init(rawValue:))
    }

    private static func x(of map: CBORMap, count: Int) throws(COSEError) -> [UInt8] {
        guard let x = map[.int(Parameter.x)]?.bytes, x.count == count else {
            throw .key("the COSE_Key has no x of \(count) octets")
        }
        return x
    }

    private static func point(x: [UInt8], y: CBORValue?) throws(COSEError) -> [UInt8] {
        switch y {
        case .bytes(let y) where y.count == P256Point.coordinateLength: return [0x04] + x + y
        case .simple(20), .simple(21):
            do {
                return try P256Point.decompress(x: x, isYOdd: y == .simple(21))
            } catch {
                throw .key("\(error)")
            }
        default:
            throw .key("the COSE_Key has no y of \(P256Point.coordinateLength) octets and no sign")
        }
    }

    private static func optional<T>(
        _ value: CBORValue?, named name: String, _ read: (CBORValue) -> T?
    ) throws(COSEError) -> T? {
        guard let value else { return nil }
        guard let result = read(value) else { throw .key("the \(name) has the wrong type") }
        return result
    }

    private static func describe(_ label: Int64?) -> String { label.map(String.init) ?? "none" }
}

// MARK: - Use

extension COSEKey {
    /// The key, ready to check signatures.
    ///
    /// - Throws: `COSEError.key` if the point is not on the curve, the curve has no verifier, or y is
    ///   not known.
    public func verificationKey() throws(COSEError) -> VerificationKey {
        guard case .p256(let point) = material else {
            let part = isXOnly ? " with x alone" : ""
            throw .key("\(curveName) signatures cannot be checked\(part)")
        }
        do {
            return try VerificationKey(p256: point)
        } catch {
            throw .key("\(error)")
        }
    }

    /// - Throws: `COSEError.key` if no point of the curve has this x, or the point is not on it.
    public func checkPoint() throws(COSEError) {
        guard case .p256X(let x) = material else {
            if case .p256 = material { _ = try verificationKey() }
            return
        }
        do {
            _ = try P256Point.decompress(x: x, isYOdd: false)
        } catch {
            throw .key("\(error)")
        }
    }
}
