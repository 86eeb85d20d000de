import Foundation

/// `swift package`, where the plugin started this process.
enum PluginHost {
    /// Gives the terminal's foreground back to the process group that had it before the plugin.
    static func returnTerminal() {
        guard let text = ProcessInfo.processInfo.environment["PROVISION_TERMINAL_OWNER"],
            let owner = pid_t(text), owner > 0
        else { return }
        signal(SIGTTOU, SIG_IGN)
        tcsetpgrp(0, owner)
    }

    /// `swift package` forwards SIGINT but not SIGTERM, and nothing when it is killed: calls `onEnd`
    /// once it is gone, so that no run outlives it.
    static func watch(_ onEnd: @escaping @Sendable () -> Void) {
        guard let text = ProcessInfo.processInfo.environment["PROVISION_PLUGIN_HOST"],
            let host = pid_t(text)
        else { return }
        Thread.detachNewThread {
            while getppid() == host { usleep(200_000) }
            onEnd()
        }
    }

    static func exit(_ status: Int32) -> Never { Foundation.exit(status) }
}
