import CHost
import Channels
import Foundation
import Provisioning

/// The template's firmware as a process of this machine, with the other end of a pty as its UART.
///
/// Without the emulator of `provision`: its thread would take time of the process that is measured.
final class NativeDevice {
    /// What the host opens: `/dev/pts/7`.
    var port: String { terminal.path }
    /// Held, so that it outlives its user.
    private let terminal: PseudoTerminal
    private let child: ChildProcess
    private var line: PacedLine?
    private let lineEnd: Int32

    /// Starts a blank device, and waits until it has made its key.
    ///
    /// - Parameters:
    ///   - state: a folder that does not exist yet.
    ///   - baud: the rate of the line; nil: as fast as the pty is.
    init(image: String, state: URL, baud: Int? = nil) throws {
        terminal = try PseudoTerminal()
        let master = terminal.master
        var uart = master
        if let baud {
            var ends: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
                throw Failure("no socket pair: \(String(cString: strerror(errno)))")
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            line = try PacedLine(between: master, and: ends[0], baud: baud)
            lineEnd = ends[0]
            uart = ends[1]
        } else {
            line = nil
            lineEnd = -1
        }
        child = try ChildProcess(
            Command([image], environment: ["PROVISION_NATIVE_STATE": state.path]), input: uart,
            output: uart, failure: .emulatorFailed)
        if uart != master { close(uart) }
        try waitForKey(in: state)
    }

    /// What the device has computed so far; nil where the system does not tell.
    var processorSeconds: Double? {
        #if os(Linux)
            var (clock, time) = (clockid_t(), timespec())
            guard clock_getcpuclockid(child.processID, &clock) == 0,
                clock_gettime(clock, &time) == 0
            else { return nil }
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        #else
            return nil
        #endif
    }

    deinit {
        child.terminate(grace: .zero)
        // The line has to let go of the descriptors before they may mean something else.
        line = nil
        terminal.close()
        if lineEnd >= 0 { close(lineEnd) }
    }

    /// The key is the last thing that the firmware makes before it listens.
    private func waitForKey(in state: URL) throws {
        for _ in 0..<5000 {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: state.path)) ?? []
            if files.contains(where: { $0.hasSuffix(".psa_its") }) {
                // What it says on its console is no part of the conversation.
                usleep(20_000)
                return
            }
            if let ending = child.currentEnding { throw Failure("the firmware \(ending)") }
            usleep(1000)
        }
        throw Failure("the firmware made no key in 5 s")
    }
}
