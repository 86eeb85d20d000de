import CBOR
import SMP

/// Frames that no honest device sends.
enum Frame {
    /// An answer to `request` with any bytes as its payload.
    static func answer(
        _ request: SMPMessage, payload: [UInt8], change: (inout SMPHeader) -> Void = { _ in }
    ) throws -> [UInt8] {
        var header = SMPHeader(
            operation: request.header.operation.response, length: UInt16(payload.count),
            group: request.header.group, sequence: request.header.sequence,
            command: request.header.command)
        change(&header)
        return try SerialFrame.lines(of: header.encoded() + payload).flatMap { $0 }
    }

    /// An answer to nobody's request.
    static func stray(sequence: UInt8) throws -> [UInt8] {
        let message = try SMPMessage(
            operation: .readResponse, group: 1, sequence: sequence, command: 0, payload: ["n": 1])
        return try SerialFrame.lines(of: message.encoded()).flatMap { $0 }
    }

    /// The beginning of a frame, without a line feed.
    static let unfinished: [UInt8] = [6, 9] + Array("AAsJAAAGIMgAAKE".utf8)
}
