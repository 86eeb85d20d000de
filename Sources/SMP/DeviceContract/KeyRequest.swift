internal import CBOR

/// Which key a device is to make.
public struct KeyRequest: Sendable {
    /// nil: the device picks one.
    public var keyID: UInt32?
    /// COSE algorithm; nil: the device's preferred one.
    public var algorithm: Int64?
    /// Whether a key that is there gives way; else it is an error.
    public var replaces: Bool
    /// A private key to import. Without one the device makes its own, which never leaves it.
    private let importedValue: [UInt8]?

    public init(
        keyID: UInt32? = nil, algorithm: Int64? = nil, importing value: [UInt8]? = nil,
        replaces: Bool = false
    ) {
        self.keyID = keyID
        self.algorithm = algorithm
        self.replaces = replaces
        importedValue = value
    }

    var payload: CBORMap {
        var payload = CBORMap()
        payload["kid"] = keyID.map { .unsigned(UInt64($0)) }
        payload["alg"] = algorithm.map { .int($0) }
        payload["value"] = importedValue.map { .bytes($0) }
        payload["replace"] = replaces ? true : nil
        return payload
    }
}

extension KeyRequest: CustomStringConvertible, CustomReflectable {
    public var description: String {
        let value = importedValue == nil ? "made on the device" : "<redacted>"
        return "key \(keyID.map { String($0) } ?? "of the device's choice"), value \(value)"
    }

    public var customMirror: Mirror { Mirror(reflecting: description) }
}
