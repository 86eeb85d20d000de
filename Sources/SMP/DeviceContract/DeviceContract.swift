internal import CBOR

/// The device contract, version 1: what a device with this project's library answers in its group.
public struct DeviceContract: Hashable, Sendable {
    public static let version: UInt64 = 1
    /// Where the device library answers unless it was built for another group.
    public static let standardGroup: UInt16 = 8392

    public enum Command {
        public static let device: UInt8 = 0
        public static let key: UInt8 = 1
        public static let erase: UInt8 = 2
        public static let evidence: UInt8 = 3
        public static let csr: UInt8 = 4
        public static let credential: UInt8 = 5
        public static let lock: UInt8 = 6
        public static let secret: UInt8 = 7
    }

    public let group: UInt16

    public init(group: UInt16 = standardGroup) { self.group = group }

    public func describeDevice() -> SMPCall<DeviceDescription> {
        SMPCall(read(Command.device, [:], isIdempotent: true)) { payload throws(SMPError) in
            try DeviceDescription(payload)
        }
    }

    /// The key `keyID`; `.noSuchKey` when the device has none.
    public func describeKey(_ keyID: UInt32) -> SMPCall<KeyDescription> {
        SMPCall(
            read(Command.key, ["kid": .unsigned(UInt64(keyID))], isIdempotent: true)
        ) { payload throws(SMPError) in
            try KeyDescription(payload, expecting: keyID)
        }
    }

    /// Makes or imports a key.
    ///
    /// Repeated on silence only where that leaves nothing behind: with a key ID and without
    /// `replace`. After a retry `.keyExists` may tell of the first attempt's key.
    public func makeKey(_ key: KeyRequest) -> SMPCall<KeyDescription> {
        let request = write(
            Command.key, key.payload, isRepeatable: key.keyID != nil && !key.replaces)
        return SMPCall(request) { payload throws(SMPError) in
            try KeyDescription(payload, expecting: key.keyID)
        }
    }

    public func eraseKey(_ keyID: UInt32) -> SMPCall<Void> {
        SMPCall(
            write(Command.erase, ["kid": .unsigned(UInt64(keyID))])
        ) { _ throws(SMPError) in }
    }

    /// Credentials are write-once from now on.
    public func lock() -> SMPCall<Void> {
        SMPCall(write(Command.lock, [:], isIdempotent: true)) { _ throws(SMPError) in }
    }

    /// Puts a COSE_Encrypt0, RFC 9052 §5.2, in a slot; a secret never travels in clear.
    public func writeSecret(encrypted: [UInt8], slot: UInt32) -> SMPCall<Void> {
        SMPCall(
            write(
                Command.secret, ["slot": .unsigned(UInt64(slot)), "data": .bytes(encrypted)])
        ) { _ throws(SMPError) in }
    }

    func read(_ command: UInt8, _ payload: CBORMap, isIdempotent: Bool) -> SMPRequest {
        SMPRequest(
            .read, group: group, command: command, payload: payload, isIdempotent: isIdempotent)
    }

    func write(
        _ command: UInt8, _ payload: CBORMap, isRepeatable: Bool = true, isIdempotent: Bool = false
    ) -> SMPRequest {
        SMPRequest(
            .write, group: group, command: command, payload: payload, isRepeatable: isRepeatable,
            isIdempotent: isIdempotent)
    }
}
