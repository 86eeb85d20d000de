internal import CBOR

/// The OS group that each SMP server has.
/// Zephyr doc/services/device_mgmt/smp_groups/smp_group_0.rst.
public enum OSGroup {
    public static let number: UInt16 = 0

    /// The buffers of the server.
    public struct Parameters: Hashable, Sendable {
        /// Bytes that a request may have, with its header, length and checksum.
        public let bufferSize: UInt32
        public let bufferCount: UInt32

        public init(bufferSize: UInt32, bufferCount: UInt32) {
            self.bufferSize = bufferSize
            self.bufferCount = bufferCount
        }
    }

    /// The device repeats `text`; the answer is what it repeated.
    public static func echo(_ text: String) -> SMPCall<String> {
        SMPCall(
            SMPRequest(.write, group: number, command: 0, payload: ["d": .text(text)])
        ) { payload throws(SMPError) in
            try PayloadReader(payload, of: "echo").text("r", maximumLength: Int(UInt16.max))
        }
    }

    /// Restarts the device. It may restart without an answer: a time-out is no failure then.
    public static func reset() -> SMPCall<Void> {
        SMPCall(
            SMPRequest(.write, group: number, command: 5, isRepeatable: false)
        ) { _ throws(SMPError) in }
    }

    public static func parameters() -> SMPCall<Parameters> {
        SMPCall(
            SMPRequest(.read, group: number, command: 6)
        ) { payload throws(SMPError) in
            let reader = PayloadReader(payload, of: "parameters")
            return Parameters(
                bufferSize: try reader.uint32("buf_size"),
                bufferCount: try reader.uint32("buf_count"))
        }
    }
}
