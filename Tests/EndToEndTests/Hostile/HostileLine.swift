import Channels
import Foundation
import Provisioning
import SMP
import ProvisioningTesting
import Synchronization
import Testing

/// The far end of a real pty: what a hostile device hears and says there, on a thread of its own.
final class HostileLine: Sendable {
    /// What `provision --port` gets.
    var port: String { terminal.path }
    /// Both ends are kept, so that the line outlives each of its users.
    private let terminal: PseudoTerminal
    private var master: Int32 { terminal.master }
    private let stop: (read: Int32, write: Int32)
    private let hasEnded = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)
    /// What arrived while it spoke: as a UART, it blocks nobody who writes to it meanwhile.
    private let early = Mutex<[UInt8]>([])

    /// What a device does with the line until `receive` says that nobody is interested any more.
    typealias Behaviour = @Sendable (HostileLine) throws -> Void

    init(_ behaviour: @escaping Behaviour) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stop = (ends[0], ends[1])
        terminal = try PseudoTerminal()
        _ = fcntl(terminal.master, F_SETFL, fcntl(terminal.master, F_GETFL) | O_NONBLOCK)
        Thread.detachNewThread { [self] in
            do { try behaviour(self) } catch { failure.withLock { $0 = error } }
            hasEnded.signal()
        }
    }

    /// The device is gone, and the port with it. If it has failed, it was silent from then on, as some are
    /// meant to be: the test fails, too.
    func close() {
        _ = write(stop.write, "x", 1)
        hasEnded.wait()
        terminal.close()
        for end in [stop.read, stop.write] { _ = Foundation.close(end) }
        if let failure = failure.withLock({ $0 }) { Issue.record(failure, "the device failed") }
    }

    /// Of the port, as its users set it.
    var settings: [UInt8] {
        var settings = termios()
        guard tcgetattr(terminal.slave, &settings) == 0 else { return [] }
        return withUnsafeBytes(of: settings) { Array($0) }
    }

    /// What arrived, empty if nothing did in time; nil: the test is over.
    func receive(within milliseconds: Int32 = 1000) -> [UInt8]? {
        let isEarly = early.withLock { !$0.isEmpty }
        guard let ready = wait(for: Int16(POLLIN), isEarly ? 0 : milliseconds) else { return nil }
        let arrived = early.withLock { early in
            defer { early = [] }
            return early
        }
        return ready ? arrived + readOnce() : arrived
    }

    private func readOnce() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 4096) { buffer, filled in
            filled = max(0, read(master, buffer.baseAddress, buffer.count))
        }
    }

    /// False: the test is over. Waits as long as the line takes nothing.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let ready = wait(for: Int16(POLLOUT), 1000) else { return false }
            let arrived = readOnce()
            early.withLock { $0 += arrived }
            guard ready else { continue }
            let sent = rest.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            rest = rest.dropFirst(max(0, sent))
        }
        return true
    }

    /// What the contract says, as far as `device` follows it.
    func obey(_ device: SimulatedDevice) throws {
        while let bytes = receive() {
            try device.write(bytes, within: .zero)
            let answer = try device.read(atMost: .max, within: .zero)
            guard send(answer) else { return }
        }
    }

    private func wait(for events: Int16, _ milliseconds: Int32) -> Bool? {
        var entries = [
            pollfd(fd: stop.read, events: Int16(POLLIN), revents: 0),
            pollfd(fd: master, events: events, revents: 0),
        ]
        _ = poll(&entries, 2, milliseconds)
        return entries[0].revents != 0 ? nil : entries[1].revents & events != 0
    }
}
