public import Attestation
import GRDB

/// Which devices to list; every field that is set must hold.
public struct DeviceFilter: Sendable, Hashable {
    /// The board's own name.
    public var board: String?
    public var id: DeviceID?
    public var nickname: String?

    public init(board: String? = nil, id: DeviceID? = nil, nickname: String? = nil) {
        self.board = board
        self.id = id
        self.nickname = nickname
    }

    public static let all = DeviceFilter()
}

extension DeviceFilter {
    func condition(after cursor: RegistryCursor?) -> Condition {
        var condition = Condition()
        condition.require("device.board = ?", board)
        condition.require("device.device_id = ?", id.map { Octets($0.bytes) })
        condition.require("device.nickname = ?", nickname)
        condition.require("device.id > ?", cursor?.row)
        return condition
    }
}
