import Channels
import Foundation
import JTAGProbe
import Provisioning
import Synchronization

/// A log through the real OpenOCD, which reads memory while the core runs, beside its plain reads of the
/// same memory. The chip is RAM behind a fake probe, which clocks each bit by a message: a slow line, on
/// which the host's own questions to the ring cost the most.
struct RunningCoreLog {
    static let name = "log through RTT while the core runs, a ring of 4 KiB"

    /// Of the log, in bytes; it counts up from 0.
    private let length: Int
    private let roundCount: Int

    private static let ring = RingFirmware(up: 4096)
    private static let ramLength = 8192
    private static let patience = Duration.seconds(60)

    init(isQuick: Bool) { (length, roundCount) = isQuick ? (8 << 10, 1) : (64 << 10, 5) }

    func measure() throws -> Measurement {
        let interruption = try Interruption()
        let rounds = try (0..<roundCount).map { _ in try round(interruption) }
        let middle = Round.middle(rounds)
        return Measurement(
            Self.name, middle.own, "kB/s",
            beside: .init(name: "OpenOCD's plain reads", value: middle.peer), .atLeast(0.8))
    }

    /// Both in kB/s, of a new chip.
    private func round(_ interruption: Interruption) throws -> Round {
        guard
            let range = AddressRange(
                address: UInt64(TargetRAM.base), length: Self.ramLength)
        else { throw Failure("no RAM") }
        let sent = Mutex(0)
        let ram = TargetRAM(size: Self.ramLength) { [length] ram in
            sent.withLock { sent in
                let rest = (sent..<length).lazy.map { UInt8(truncatingIfNeeded: $0) }
                sent += Self.ring.send(rest.prefix(4096), &ram)
            }
        }
        ram.edit(Self.ring.start)
        let server = try OpenOCD(ram)
        // It takes its time until it listens.
        try server.connect(interruption).close()
        let control = try OpenOCDControl.connect(
            host: "127.0.0.1", port: server.tclPort, replyTimeout: Self.patience,
            interruption: interruption)
        let channel = try RTTChannel(
            control, RTTSettings(memory: [range]), within: Self.patience,
            interruption: interruption)
        var pieces: [[UInt8]] = []
        let log = try Bench.seconds {
            var count = 0
            while count < length {
                let piece = try channel.read(atMost: length - count, within: Self.patience)
                guard !piece.isEmpty else {
                    throw Failure("the log breaks off after \(count) bytes")
                }
                pieces.append(piece)
                count += piece.count
            }
        }
        guard pieces.joined().elementsEqual((0..<length).lazy.map { UInt8(truncatingIfNeeded: $0) })
        else { throw Failure("the log is another one") }
        let memory = OpenOCDMemory(control)
        let reads = try Bench.seconds {
            for _ in 0..<length / 4096 {
                _ = try memory.read(at: UInt64(TargetRAM.base), count: 4096)
            }
        }
        return Round(own: Double(length) / log / 1e3, peer: Double(length) / reads / 1e3)
    }
}
