package import Channels
import Foundation
package import Provisioning
import Synchronization

/// QEMU's control socket. QEMU Machine Protocol, docs/interop/qmp-spec in its sources. Any thread may
/// use it.
package final class MachineMonitor: @unchecked Sendable {
    /// One command at a time: guards what follows.
    private let lock = Mutex(())
    private let channel: StreamChannel
    private var received: [UInt8] = []

    /// Bytes of one line that are accepted. The greeting and the answers have some hundred.
    private static let maximumLineLength = 65_536
    /// Lines before an answer: events.
    private static let maximumEvents = 1_000
    /// For an answer, whatever events come before it.
    private let answerTimeout: Duration

    /// Takes `channel` over and agrees on capabilities.
    package init(channel: StreamChannel, answerTimeout: Duration) throws(ProvisioningError) {
        self.channel = channel
        self.answerTimeout = answerTimeout
        // Whatever the greeting announces, nothing of it is needed.
        _ = try line(until: .now.advanced(by: answerTimeout))
        try execute("qmp_capabilities")
    }

    package func resume() throws(ProvisioningError) { try execute("cont") }

    package func pause() throws(ProvisioningError) { try execute("stop") }

    package func quit() throws(ProvisioningError) { try execute("quit") }

    /// Has QEMU write memory as the processor sees it to a file. (`pmemsave` finds zeros at address 0 of
    /// machines whose processor has an address space of its own.)
    package func save(_ region: AddressRange, to path: String) throws(ProvisioningError) {
        try execute(
            "memsave",
            MemorySave(val: region.address, size: region.length, filename: path))
    }

    private struct MemorySave: Encodable {
        let val: UInt64
        let size: Int
        let filename: String
    }

    private struct Request<Arguments: Encodable>: Encodable {
        let execute: String
        let arguments: Arguments?
    }

    private struct Answer: Decodable {
        struct Failure: Decodable {
            let desc: String
        }
        let error: Failure?
        let event: String?
    }

    private func execute(_ command: String) throws(ProvisioningError) {
        try execute(command, nil as MemorySave?)
    }

    private func execute(
        _ command: String, _ arguments: (some Encodable)?
    ) throws(ProvisioningError) {
        let failure: ProvisioningError? = lock.withLock { _ in
            do throws(ProvisioningError) {
                try exchange(command, arguments)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func exchange(
        _ command: String, _ arguments: (some Encodable)?
    ) throws(ProvisioningError) {
        guard
            let request = try? JSONEncoder().encode(
                Request(execute: command, arguments: arguments))
        else {
            throw ProvisioningError(.internalFailure, "no JSON for \"\(command)\"")
        }
        try channel.write(Array(request) + [UInt8(ascii: "\n")], within: answerTimeout)
        let deadline = ContinuousClock.now.advanced(by: answerTimeout)
        for _ in 0..<Self.maximumEvents {
            let line = try line(until: deadline)
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(line)) else {
                throw ProvisioningError(
                    .emulatorFailed, "QEMU answers \"\(command)\" with no JSON object")
            }
            if answer.event != nil { continue }
            guard let failure = answer.error else { return }
            throw ProvisioningError(
                .emulatorFailed,
                "QEMU refused \"\(command)\": "
                    + PlainText.sanitized(failure.desc.utf8.prefix(500)))
        }
        throw ProvisioningError(
            .emulatorFailed, "QEMU does not answer \"\(command)\"", hint: Self.silenceHint)
    }

    private static let silenceHint =
        "is it stopped, or the machine very busy? end it and run again; --timeout boot=60s waits longer"

    private func line(until deadline: ContinuousClock.Instant) throws(ProvisioningError) -> [UInt8]
    {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeFirst(end + 1) }
                return Array(received[..<end])
            }
            let rest = ContinuousClock.now.duration(to: deadline)
            guard rest > .zero else {
                throw ProvisioningError(
                    .emulatorFailed,
                    "QEMU does not answer on its control socket in \(answerTimeout.brief)",
                    hint: Self.silenceHint)
            }
            guard received.count <= Self.maximumLineLength else {
                throw ProvisioningError(
                    .emulatorFailed, "QEMU's control socket makes no sense", hint: Self.silenceHint)
            }
            received += try channel.read(atMost: 4096, within: rest)
        }
    }
}
