import Foundation
import PackagePlugin

/// The doorbell: finds the executable, hands it the terminal, and becomes it.
///
/// SwiftPM gives a plugin one pipe for both outputs and the write end of its own protocol pipe as
/// standard input, blocks signals on the thread that runs the plugin, and would leave a child
/// running after Ctrl-C. Replacing this process by the executable, with the standard streams of
/// `swift package` itself, avoids all four.
@main
struct Provision: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        let tool = try context.tool(named: "provision").url.path
        setenv("PROVISION_PLUGIN_HOST", String(getppid()), 1)
        adoptStandardStreams()
        adoptTerminal()
        unblockSignals()
        try become(tool, arguments)
    }

    /// Replaces descriptors 0, 1 and 2 by those of `swift package`. Where the system offers no way
    /// to them, output goes on through SwiftPM's pipe and input is empty.
    private func adoptStandardStreams() {
        fflush(nil)
        let modes = [O_RDONLY, O_WRONLY | O_APPEND, O_WRONLY | O_APPEND]
        var isInputAdopted = false
        for (descriptor, mode) in zip(Int32(0)..., modes) {
            // A terminal serves both ways; a file must be appended to, since `swift package` holds
            // an offset of its own.
            let opened = open("/proc/\(getppid())/fd/\(descriptor)", mode | O_NOCTTY)
            guard opened >= 0 else { continue }
            dup2(opened, descriptor)
            close(opened)
            isInputAdopted = isInputAdopted || descriptor == 0
        }
        if !isInputAdopted {
            let empty = open("/dev/null", O_RDONLY)
            dup2(empty, 0)
            close(empty)
        }
        for descriptor in Int32(3)..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 4096)) {
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
        }
    }

    /// Takes the foreground of the terminal, so that input and Ctrl-C reach the executable. It gives
    /// it back to the process group that is named in the environment when it ends.
    private func adoptTerminal() {
        guard isatty(0) == 1 else { return }
        let owner = tcgetpgrp(0)
        guard owner > 0, owner != getpgrp() else { return }
        signal(SIGTTOU, SIG_IGN)
        if tcsetpgrp(0, getpgrp()) == 0 { setenv("PROVISION_TERMINAL_OWNER", String(owner), 1) }
        signal(SIGTTOU, SIG_DFL)
    }

    /// SwiftPM runs a plugin on a thread with signals blocked, and `execv` would inherit that.
    private func unblockSignals() {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    private func become(_ tool: String, _ arguments: [String]) throws {
        var words = ([tool] + arguments).map { strdup($0) } + [nil]
        execv(tool, &words)
        let reason = String(cString: strerror(errno))
        Diagnostics.error("could not start \(tool): \(reason)")
    }
}
