import Foundation

/// `swift package`, where the plugin started this process.
struct PluginHost {
    private let process: pid_t?
    private let terminalOwner: pid_t?

    /// Takes what the plugin left in the environment, so that no build or flash command inherits it.
    init() {
        process = Self.take("PROVISION_PLUGIN_HOST")
        terminalOwner = Self.take("PROVISION_TERMINAL_OWNER")
    }

    private static func take(_ name: String) -> pid_t? {
        defer { unsetenv(name) }
        // Foundation makes a dictionary of all variables: half a millisecond of every start.
        return getenv(name).flatMap { pid_t(String(cString: $0)) }
    }

    /// Gives the terminal's foreground back to the process group that had it before the plugin.
    func returnTerminal() {
        guard let terminalOwner, terminalOwner > 0 else { return }
        signal(SIGTTOU, SIG_IGN)
        tcsetpgrp(0, terminalOwner)
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

    /// Read once, before anything is started.
    static let current = PluginHost()
}
