public import CBOR

/// Several public keys, RFC 9052 §7.
public struct COSEKeySet: Hashable, Sendable {
    public var keys: [COSEKey]
    /// Elements of the decoded set that no one here can use; the set is valid without them.
    public let ignoredCount: Int

    public init(_ keys: [COSEKey]) {
        self.keys = keys
        ignoredCount = 0
    }

    /// RFC 9052 §7: a key that is malformed or not understood is ignored, and the others count.
    ///
    /// - Throws: `COSEError.structure` unless this is an array of at least one element.
    public init(cbor: CBORValue) throws(COSEError) {
        guard case .array(let elements) = cbor, !elements.isEmpty else {
            throw .structure("a COSE_KeySet is an array of keys")
        }
        keys = elements.compactMap { try? COSEKey(cbor: $0) }
        ignoredCount = elements.count - keys.count
    }

    public var cbor: CBORValue { .array(keys.map(\.cbor)) }

    /// Every key of this ID: key IDs are hints, not unique.
    public func keys(withID keyID: [UInt8]) -> [COSEKey] { keys.filter { $0.keyID == keyID } }

    public func key(withThumbprint thumbprint: [UInt8]) -> COSEKey? {
        keys.first { $0.thumbprint == thumbprint }
    }
}
