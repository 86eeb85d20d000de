import Foundation

/// The firmware of a board without hardware: a device in memory, with a key of its own, that follows the
/// device protocol. Bytes in, bytes out, on any thread.
///
///     behaviour.talk = try SimulatedBoard("1f0c5a9922ee4b07", board: "teapot").talk
public final class SimulatedBoard: @unchecked Sendable {
    private let lock = NSLock()
    private let device: SimulatedDevice

    /// - Parameters:
    ///   - id: the device ID, 1 to 64 octets in hexadecimal.
    ///   - board: what the device says that it is.
    /// - Throws: `ProvisioningError` with `.usage` for an ID that is none.
    public init(_ id: String, board: String) throws {
        device = try SimulatedDevice(id, board: board)
    }

    /// What the firmware says to bytes that it gets: lines of its log, and answers in the console framing.
    @Sendable public func talk(_ bytes: [UInt8]) -> [UInt8] {
        lock.withLock {
            guard (try? device.write(bytes, within: .zero)) != nil else { return [] }
            var answer: [UInt8] = []
            while let part = try? device.read(atMost: 4096, within: .zero), !part.isEmpty {
                answer += part
            }
            return answer
        }
    }
}
