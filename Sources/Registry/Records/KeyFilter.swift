public import Attestation
import GRDB
public import Provisioning

/// Which keys to list; every field that is set must hold.
public struct KeyFilter: Sendable, Hashable {
    public var device: DeviceIdentity?
    public var state: KeyState?

    public init(device: DeviceIdentity? = nil, state: KeyState? = nil) {
        self.device = device
        self.state = state
    }

    public static let all = KeyFilter()
}

extension KeyFilter {
    func condition(after cursor: RegistryCursor?) -> Condition {
        var condition = Condition()
        condition.require("device.board = ?", device?.board)
        condition.require("device.device_id = ?", device.map { Octets($0.id.bytes) })
        condition.require("key.state = ?", state?.rawValue)
        condition.require("key.id > ?", cursor?.row)
        return condition
    }
}
