import CHost
import Foundation
import Synchronization

/// A pseudo-terminal whose far end is a descriptor of a device, with a bad line between them: seeded
/// faults, and bytes that take their time.
///
/// As on a real port, opening and closing changes nothing for the device, and what it sends while
/// nobody reads is lost.
public final class BadLine: Sendable {
    /// What a host opens.
    public let port: String
    private let master: Int32
    private let slave: Int32
    private let device: Int32
    private let stopPipe: (read: Int32, write: Int32)
    private let toDevice: Mutex<LineFaults>
    private let toHost: Mutex<LineFaults>
    private let bitsPerSecond: Int?
    private let rate: UInt32?
    private let bridge: BridgeBuffer?
    private let threads = DispatchGroup()

    /// - Parameters:
    ///   - device: a socket, a pipe or a terminal's master that carries the device's input and output.
    ///     The line borrows it until `stop`.
    ///   - bitsPerSecond: ten bits a byte in each direction at the same time; nil: as fast as it goes.
    ///   - rate: what the host has to set; at any other, nothing is understood. Nil: it does not matter.
    ///   - bufferLength: bytes towards the device that the serial bridge keeps while the line is busy, and drops
    ///     what exceeds it. Nil: it has the host wait. Only with `bitsPerSecond`.
    public init(
        to device: Int32, faults: LineFaults.Rates, seed: UInt64, bitsPerSecond: Int? = nil,
        rate: UInt32? = nil, bufferLength: Int? = nil
    ) throws {
        var (master, slave) = (Int32(-1), Int32(-1))
        var name = [CChar](repeating: 0, count: 128)
        var settings = termios()
        cfmakeraw(&settings)
        var stop: [Int32] = [-1, -1]
        guard openpty(&master, &slave, &name, &settings, nil) == 0, pipe(&stop) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        for descriptor in [master, slave] + stop { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK)
        (self.master, self.slave, self.device) = (master, slave, device)
        stopPipe = (stop[0], stop[1])
        port = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        toDevice = Mutex(LineFaults(faults, seed: seed &* 2))
        toHost = Mutex(LineFaults(faults, seed: seed &* 2 &+ 1))
        self.bitsPerSecond = bitsPerSecond
        self.rate = rate
        bridge =
            if let bufferLength, let bitsPerSecond {
                try BridgeBuffer(length: bufferLength, bitsPerSecond: bitsPerSecond)
            } else {
                nil
            }
        let source = bridge?.source ?? master
        carry("to device") { [self] in pump(from: source, to: device, through: toDevice) }
        if let bridge { carry("to bridge") { [self] in fill(bridge) } }
        carry("to host") { [self] in pump(from: device, to: self.master, through: toHost) }
    }

    /// What happened so far, to the device and to the host.
    public var counts: (toDevice: LineFaults.Counts, toHost: LineFaults.Counts) {
        (toDevice.withLock { $0.counts }, toHost.withLock { $0.counts })
    }

    /// Bytes that a bridge had no room for.
    public var overflow: Int { bridge?.overflow ?? 0 }

    /// Ends the line; the port is gone. To be called once.
    public func stop() {
        close(stopPipe.write)
        threads.wait()
        for descriptor in [master, slave, stopPipe.read] { close(descriptor) }
        bridge?.close()
    }

    private func carry(_ name: String, _ body: @escaping @Sendable () -> Void) {
        threads.enter()
        let thread = Thread { [threads] in
            // A device that has died closes its end: that is an error of this line, not the end of the tests.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            body()
            threads.leave()
        }
        thread.name = name
        thread.start()
    }

    private func pump(
        from source: Int32, to sink: Int32, through faults: borrowing Mutex<LineFaults>
    ) {
        var free = ContinuousClock.now
        while waits(for: source, Int(POLLIN)) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(source, &buffer, buffer.count)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { return }
            guard isUnderstood else { continue }
            for piece in faults.withLock({ $0.pass(Array(buffer.prefix(count))) }) {
                free = max(free, .now) + piece.delay
                guard send(piece.bytes, to: sink, &free) else { return }
            }
        }
    }

    private var isUnderstood: Bool { rate == nil || chost_serial_baud(slave) == rate }

    /// Takes what the host writes as soon as it does, as a bridge's USB side.
    private func fill(_ bridge: BridgeBuffer) {
        while waits(for: master, Int(POLLIN)) {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(master, &bytes, bytes.count)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { return }
            bridge.take(bytes[..<count])
        }
    }

    /// False at the end of the line.
    private func send(
        _ bytes: [UInt8], to sink: Int32, _ free: inout ContinuousClock.Instant
    ) -> Bool {
        // A paced line hands over a millisecond's bytes at a time, as a UART's driver does.
        let step = bitsPerSecond.map { max(1, $0 / 10_000) } ?? max(1, bytes.count)
        for start in stride(from: 0, to: bytes.count, by: step) {
            let part = Array(bytes[start...].prefix(step))
            if let bitsPerSecond {
                free += .seconds(Double(part.count * 10) / Double(bitsPerSecond))
            }
            guard sleeps(until: free), write(part, to: sink) else { return false }
        }
        return true
    }

    private func write(_ bytes: [UInt8], to sink: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(sink, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                // Nobody reads the terminal.
                if sink == master { return true }
                guard waits(for: sink, Int(POLLOUT)) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// False when the line is stopped.
    private func sleeps(until instant: ContinuousClock.Instant) -> Bool {
        while case let rest = instant - ContinuousClock.now, rest > .zero {
            let milliseconds = Int32(clamping: Int64(rest / .milliseconds(1)))
            if milliseconds > 0 {
                var entry = pollfd(fd: stopPipe.read, events: Int16(POLLIN), revents: 0)
                if poll(&entry, 1, milliseconds) > 0 { return false }
            } else {
                usleep(UInt32(rest / .microseconds(1)) + 1)
            }
        }
        return true
    }

    private func waits(for descriptor: Int32, _ events: Int) -> Bool {
        var entries = [
            pollfd(fd: descriptor, events: Int16(events), revents: 0),
            pollfd(fd: stopPipe.read, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&entries, 2, -1) < 0, errno == EINTR {}
        return entries[1].revents == 0
    }
}
