import CHost
import Channels
import Foundation

/// `swift package`, where the plugin started this process.
struct PluginHost {
    private let process: pid_t?

    /// Takes what the plugin left in the environment, so that no build or flash command inherits it.
    init() {
        process = Self.take("PROVISION_PLUGIN_HOST")
        // What the plugin had as its output, and no stream of this process.
        if let output = Self.take("PROVISION_PLUGIN_OUTPUT") {
            _ = fcntl(output, F_SETFD, FD_CLOEXEC)
            if let process { chost_host_set(process, output) }
        }
        // The process group that had the terminal's foreground before the plugin took it.
        if let owner = Self.take("PROVISION_TERMINAL_OWNER") { TerminalForeground.setOwner(owner) }
    }

    private static func take(_ name: String) -> pid_t? {
        guard let value = getenv(name) else { return nil }
        defer { unsetenv(name) }
        return pid_t(String(cString: value))
    }

    /// `swift package` forwards SIGINT but not SIGTERM, and nothing when it is killed: calls `onEnd`
    /// once it is gone, so that no run outlives it.
    func watch(_ onEnd: @escaping @Sendable () -> Void) {
        guard let process else { return }
        Thread.detachNewThread {
            while getppid() == process { usleep(200_000) }
            onEnd()
        }
    }

    /// Has `swift package` end by SIGINT, as its shell expects of Ctrl-C: of a plugin's status SwiftPM tells
    /// no more than whether it is 0. To be called last of all. Nothing where output goes through SwiftPM, which
    /// would lose what it has not yet written.
    func interrupt() { chost_host_interrupt() }

    /// Read once, before anything is started.
    static let current = PluginHost()
}
