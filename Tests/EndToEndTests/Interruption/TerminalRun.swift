import Channels
import Foundation
import Synchronization
import Testing

/// A program in the foreground of a terminal of its own, started by a shell that stays, as a user has it.
final class TerminalRun: Sendable {
    /// The shell, which leads the terminal's session.
    let shell: pid_t
    private let master: Int32
    private let before: [UInt8]
    private let shown = Mutex<[UInt8]>([])
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Prints the status behind a mark, and then waits to be looked at.
    private static let script =
        "cd \"$0\" || exit; trap : INT; env \"$@\"; echo \"<status $?>\"; while :; do read line; done"

    init(
        _ provision: Executable, _ program: String, _ arguments: [String],
        in folder: URL = Executable.packageRoot
    ) throws {
        let terminal = try PseudoTerminal(isRaw: false)
        defer { Foundation.close(terminal.slave) }
        master = terminal.master
        before = Self.settings(master)
        // Not in the shell's own environment: it is not what the run leaves behind.
        let variables = ["PROVISION_HOME=\(provision.home.path)", "TERM=xterm"]
        shell = try Self.start(
            ["/bin/sh", "-c", Self.script, folder.path] + variables + [program] + arguments,
            on: terminal.path)
        Thread.detachNewThread { [self] in
            relay()
            hasEnded.signal()
        }
    }

    /// Ends the shell, and with it the terminal's session.
    func close() {
        kill(shell, SIGKILL)
        var status: Int32 = 0
        waitpid(shell, &status, 0)
        hasEnded.wait()
        Foundation.close(master)
    }

    var output: String { String(decoding: shown.withLock { $0 }, as: UTF8.self) }

    /// Whether the terminal shows `text` before `seconds` are over.
    func shows(_ text: String, within seconds: Double = 600) -> Bool {
        let deadline = DispatchTime.now() + seconds
        while !output.contains(text) {
            if .now() > deadline { return false }
            usleep(10_000)
        }
        return true
    }

    /// The program's exit status as its shell saw it: 128 and the signal if it died of one. Nil: it did not
    /// end in time.
    func status(within seconds: Double = 300) -> Int32? {
        guard shows("<status ", within: seconds), shows(">", after: "<status ") else { return nil }
        let mark = output.components(separatedBy: "<status ").last
        return mark.flatMap { $0.split(separator: ">").first }.flatMap { Int32($0) }
    }

    private func shows(_ text: String, after mark: String) -> Bool {
        for _ in 0..<1000 {
            if output.components(separatedBy: mark).last?.contains(text) == true { return true }
            usleep(10_000)
        }
        return false
    }

    func type(_ keys: String) { _ = write(master, keys, keys.utf8.count) }

    func pressControlC() { type("\u{3}") }

    /// Whether the shell has its terminal back as it gave it away.
    var isTerminalRestored: Bool {
        Self.settings(master) == before && tcgetpgrp(master) == getpgid(shell)
    }

    /// Whether the program takes the terminal before it ends.
    var takesTerminal: Bool {
        for _ in 0..<12_000 {
            if !isTerminalRestored { return true }
            if output.contains("<status ") { return false }
            usleep(10_000)
        }
        return false
    }

    /// The process of this name that the shell, or what it runs, has started. proc(5).
    func process(named name: String) -> pid_t? {
        let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc")
        return (entries ?? []).compactMap(pid_t.init).first { process in
            let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
            let text = String(decoding: status, as: UTF8.self)
            guard text.contains(" (\(name)) ") else { return false }
            return getsid(process) == shell
        }
    }

    private func relay() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // EIO: the last one who had the terminal open is gone.
            let count = read(master, &buffer, buffer.count)
            guard count > 0 || (count < 0 && errno == EINTR) else { return }
            shown.withLock { $0 += buffer[..<max(0, count)] }
        }
    }

    private static func settings(_ terminal: Int32) -> [UInt8] {
        var settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else { return [] }
        return withUnsafeBytes(of: settings) { Array($0) }
    }

    private static func start(
        _ arguments: [String], on terminal: String
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // POSIX_SPAWN_SETSID of spawn.h is hidden from Swift.
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes,
            Int16(newSession | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that a session's leader opens is its controlling terminal.
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        for descriptor in Int32(1)...2 {
            posix_spawn_file_actions_adddup2(&actions, 0, descriptor)
        }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let error = posix_spawn(
            &process, arguments[0], &actions, &attributes, &words, environ)
        guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
        return process
    }
}
