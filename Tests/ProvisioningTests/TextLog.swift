import Provisioning

/// A log in memory that comes in pieces, and then is silent or at its end.
final class TextLog: DeviceLog {
    let name = "the log"
    let isFile: Bool
    private var pieces: [[UInt8]]
    private let ends: Bool
    private(set) var isClosed = false
    /// Runs before a piece is given.
    var beforeRead: () -> Void = {}

    init(_ pieces: [String], ends: Bool = true, isFile: Bool = false) {
        self.pieces = pieces.map { Array($0.utf8) }
        self.ends = ends
        self.isFile = isFile
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        beforeRead()
        guard !pieces.isEmpty else {
            guard !ends else { throw ProvisioningError(.channelClosed, "the log is at its end") }
            return []
        }
        let piece = pieces.removeFirst()
        if piece.count > limit { pieces.insert(Array(piece[limit...]), at: 0) }
        return Array(piece.prefix(limit))
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw ProvisioningError(.internalFailure, "somebody wrote to a log")
    }

    func close() { isClosed = true }
}
