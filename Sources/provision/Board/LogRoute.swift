import Channels
import Foundation
import Provisioning

/// A log that comes from elsewhere: standard input, a file, a pipe, a tty.
final class LogRoute: ChannelRoute {
    private let source: LogSource
    private let timeout: Duration
    private let interruption: Interruption
    private let reporter: ProgressReporter
    private let serialRoute: (String) -> SerialRoute
    /// A file, from where it was before the board was flashed.
    private var log: (any Channel)?
    /// Nil until the source is found to be a tty.
    private var serial: SerialRoute?

    /// Of the port that is opened to see what it is, and closed again.
    private static let anyRate: UInt32 = 115_200

    /// - Parameters:
    ///   - timeout: how long a file that is followed may take until it is there, and a report until it comes.
    ///   - serialRoute: to the tty of this path.
    init(
        _ source: LogSource, timeout: Duration, interruption: Interruption,
        reporter: ProgressReporter, serialRoute: @escaping (String) -> SerialRoute
    ) {
        self.source = source
        self.timeout = timeout
        self.interruption = interruption
        self.reporter = reporter
        self.serialRoute = serialRoute
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard case .path(let path, let follows) = source, !follows || !Self.isAbsent(path) else {
            return
        }
        try LogInput.checkPresence(path: path)
    }

    /// Before the board is flashed: what a file holds by then was said by the firmware before. A tty is let go,
    /// for the flash tool may need it, and what it holds when it is opened again is discarded.
    func check() throws(ProvisioningError) {
        guard case .path(let path, _) = source, access(path, F_OK) == 0 else { return }
        if let serial = try terminal(path) { return try serial.check() }
        log = try openLog(skips: true)
    }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        if let log { return noted(log) }
        if case .path(let path, true) = source, serial == nil, Self.isAbsent(path) {
            reporter.remarked("waiting \(timeout.brief) for \(path) to be there")
            let end = ContinuousClock.now + timeout
            while Self.isAbsent(path), ContinuousClock.now < end {
                try interruption.pause(for: .milliseconds(20))
            }
        }
        if case .path(let path, _) = source, let serial = try terminal(path) {
            return try serial.open(isFlashed: isFlashed)
        }
        return noted(try openLog(skips: false))
    }

    /// Whether it may come: not where a folder is closed, or none.
    private static func isAbsent(_ path: String) -> Bool {
        access(path, F_OK) != 0 && errno == ENOENT
    }

    /// With a word about a pipe that nobody writes to: the user may not have started what does.
    private func noted(_ log: any Channel) -> any Channel {
        guard case .path(let path, _) = source, let pipe = log as? LogInput, pipe.isSilentPipe
        else {
            return log
        }
        reporter.remarked("waiting \(timeout.brief) for somebody to write to \(path)")
        return log
    }

    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError {
        serial?.explained(error, isFlashed: isFlashed) ?? error
    }

    /// Nil if it is none.
    private func terminal(_ path: String) throws(ProvisioningError) -> SerialRoute? {
        if let serial { return serial }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR,
            let port = try SerialPort(
                ifTerminal: path, baud: Self.anyRate, interruption: interruption)
        else { return nil }
        port.close()
        serial = serialRoute(path)
        return serial
    }

    private func openLog(skips: Bool) throws(ProvisioningError) -> any Channel {
        guard case .path(let path, let follows) = source else {
            return try LogInput.standardInput(interruption)
        }
        var status = stat()
        let isThere = stat(path, &status) == 0
        // What is no file is read as it comes.
        if follows, !isThere || status.st_mode & S_IFMT == S_IFREG {
            return try GrowingLog(path: path, skips: skips, interruption: interruption)
        }
        return try LogInput(path: path, skips: skips, interruption: interruption)
    }
}
