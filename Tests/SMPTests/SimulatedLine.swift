import BadLine
import SMP

/// A session and a device with a bad line between them, on a clock that only the events move.
struct SimulatedLine {
    struct Failure: Error {
        let error: SMPError
        let seed: UInt64
    }

    private(set) var session = SMPSession()
    var device = ScriptedDevice()
    private(set) var now = Duration.zero
    private let seed: UInt64
    private var toDevice: LineFaults
    private var toHost: LineFaults
    private var deviceDecoder = SerialFrameDecoder()
    /// What is on its way to the host, in order.
    private var arrivals: [(time: Duration, bytes: [UInt8])] = []

    /// The line's latency together with the device's, in each exchange.
    private static let roundTrip = Duration.milliseconds(5)

    init(_ rates: LineFaults.Rates, seed: UInt64) {
        self.seed = seed
        toDevice = LineFaults(rates, seed: seed &* 2)
        toHost = LineFaults(rates, seed: seed &* 2 &+ 1)
    }

    mutating func perform<Answer>(
        _ call: SMPCall<Answer>, _ patience: SMPSession.Patience
    ) throws -> Answer {
        var deadline = now
        var effects = session.request(
            call.request, repeats: call.repeats, patience: patience, at: now)
        while true {
            for effect in effects {
                switch effect {
                case .send(let line): try deliver(line)
                case .wait(let time): deadline = now + time
                case .finished(.success(let payload)): return try call.answer(payload)
                case .finished(.failure(let error)): throw Failure(error: error, seed: seed)
                case .log, .repeated: break
                }
            }
            if let next = arrivals.first, next.time <= deadline {
                arrivals.removeFirst()
                now = max(now, next.time)
                effects = session.received(next.bytes, at: now)
            } else {
                now = deadline
                effects = session.timedOut(at: now)
            }
        }
    }

    private mutating func deliver(_ line: [UInt8]) throws {
        for piece in toDevice.pass(line) {
            for case .message(let bytes) in deviceDecoder.push(piece.bytes) {
                guard let request = try? SMPMessage(decoding: bytes),
                    request.header.operation == .read || request.header.operation == .write
                else { continue }
                try answer(request)
            }
        }
    }

    private mutating func answer(_ request: SMPMessage) throws {
        let header = request.header
        let message = try SMPMessage(
            operation: header.operation.response, group: header.group, sequence: header.sequence,
            command: header.command,
            payload: device.answer(
                SMPRequest(
                    header.operation, group: header.group, command: header.command,
                    payload: request.payload)))
        var time = max(now + Self.roundTrip, arrivals.last?.time ?? .zero)
        for piece in toHost.pass(try SerialFrame.lines(of: message.encoded()).flatMap { $0 }) {
            time += piece.delay
            arrivals.append((time, piece.bytes))
        }
    }
}
