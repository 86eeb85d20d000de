import Channels
import Foundation
import Platforms
import Provisioning

/// A log that comes from elsewhere: standard input, a file, a pipe, a tty.
final class LogRoute: ChannelRoute {
    private let source: LogSource
    private let baud: Int
    private let timeout: Duration
    private let interruption: Interruption
    private var log: (any Channel)?

    /// - Parameter timeout: how long a file that is followed may take until it is there.
    init(_ source: LogSource, baud: Int, timeout: Duration, interruption: Interruption) {
        self.source = source
        self.baud = baud
        self.timeout = timeout
        self.interruption = interruption
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard case .path(let path, let follows) = source, !follows || access(path, F_OK) == 0 else {
            return
        }
        try LogInput.checkPresence(path: path)
    }

    /// Before the board is flashed: what a file holds by then was said by the firmware before.
    func check() throws(ProvisioningError) {
        guard case .path(let path, _) = source, access(path, F_OK) == 0 else { return }
        log = try openLog(skips: true)
    }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        if let log { return log }
        let end = ContinuousClock.now + timeout
        while case .path(let path, true) = source, access(path, F_OK) != 0,
            ContinuousClock.now < end
        {
            try interruption.pause(for: .milliseconds(20))
        }
        return try openLog(skips: false)
    }

    private func openLog(skips: Bool) throws(ProvisioningError) -> any Channel {
        guard case .path(let path, let follows) = source else {
            return try LogInput.standardInput(interruption)
        }
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT == S_IFCHR, Self.isTerminal(path) {
            return try SerialPort(path: path, baud: UInt32(baud), interruption: interruption)
        }
        // What is no file is read as it comes.
        if follows, !isThere || status.st_mode & S_IFMT == S_IFREG {
            return try GrowingLog(path: path, skips: skips, interruption: interruption)
        }
        return try LogInput(path: path, skips: skips, interruption: interruption)
    }

    private static func isTerminal(_ path: String) -> Bool {
        let descriptor = Glibc.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        return descriptor >= 0 && isatty(descriptor) == 1
    }
}

/// What the flash command prints, which goes on running.
final class MonitorRoute: ChannelRoute {
    private let flasher: () -> MonitoringFlasher?

    /// - Parameter flasher: nil before it is asked to flash.
    init(flasher: @escaping () -> MonitoringFlasher?) { self.flasher = flasher }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard isFlashing else { throw Self.nothingFlashed }
    }

    func check() {}

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        guard let flasher = flasher() else { throw Self.nothingFlashed }
        return try flasher.log
    }

    private static var nothingFlashed: ProvisioningError {
        ProvisioningError(
            .usage, "the flash command prints the log, and nothing is flashed",
            hint: "provision run flashes; to read another log: --log")
    }
}
