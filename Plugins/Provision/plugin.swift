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
        let tool = try ToolBuild(context).executable(builtBy: packageManager).path
        setenv("PROVISION_PLUGIN_HOST", String(getppid()), 1)
        let output = dup(2)
        if adoptStandardStreams() { handDown(output) }
        deferSignals()
        adoptTerminal()
        try become(tool, arguments)
    }

    /// Replaces descriptors 0, 1 and 2 by those of `swift package`. Where the system offers no way
    /// to them, output goes on through SwiftPM's pipe and input is empty.
    ///
    /// - Returns: whether no output goes through SwiftPM any more.
    private func adoptStandardStreams() -> Bool {
        fflush(nil)
        let input = openStream(0, O_RDONLY) ?? open("/dev/null", O_RDONLY)
        dup2(input, 0)
        let output = openStream(1, O_WRONLY | O_APPEND)
        let error = openStream(2, O_WRONLY | O_APPEND)
        // One file for both, as with `> log 2>&1`: through SwiftPM's pipe, which writes at the offset
        // that it shares with whoever writes to that file next.
        var isAdopted = false
        if let output, let error, !isSameFile(output, error) {
            dup2(output, 1)
            dup2(error, 2)
            isAdopted = true
        }
        for descriptor in Int32(3)..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 4096)) {
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
        }
        return isAdopted
    }

    /// As long as this is open, SwiftPM does not take the plugin for ended: the executable has it tell of Ctrl-C
    /// before.
    private func handDown(_ output: Int32) {
        guard output >= 0, fcntl(output, F_SETFD, 0) == 0 else { return }
        setenv("PROVISION_PLUGIN_OUTPUT", String(output), 1)
    }

    /// The very descriptor of `swift package`, with the offset that it shares, where the system lets
    /// a child have it; else the same file once more, appended to, since it has an offset of its own.
    private func openStream(_ descriptor: Int32, _ mode: Int32) -> Int32? {
        if let shared = shareStream(descriptor) { return shared }
        let opened = open("/proc/\(getppid())/fd/\(descriptor)", mode | O_NOCTTY)
        return opened >= 0 ? opened : nil
    }

    /// `pidfd_open` and `pidfd_getfd`, which glibc has since 2.36 and its Swift module has not.
    private func shareStream(_ descriptor: Int32) -> Int32? {
        typealias PIDOpen = @convention(c) (pid_t, UInt32) -> Int32
        typealias GetDescriptor = @convention(c) (Int32, Int32, UInt32) -> Int32
        guard let openSymbol = dlsym(nil, "pidfd_open"), let getSymbol = dlsym(nil, "pidfd_getfd")
        else { return nil }
        let process = unsafeBitCast(openSymbol, to: PIDOpen.self)(getppid(), 0)
        guard process >= 0 else { return nil }
        defer { close(process) }
        let shared = unsafeBitCast(getSymbol, to: GetDescriptor.self)(process, descriptor, 0)
        return shared >= 0 ? shared : nil
    }

    private func isSameFile(_ a: Int32, _ b: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        guard fstat(a, &first) == 0, fstat(b, &second) == 0 else { return false }
        return first.st_mode & S_IFMT == S_IFREG && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }

    /// Takes the foreground of the terminal, so that input and Ctrl-C reach the executable. It gives
    /// it back to the process group that is named in the environment when it ends. Only what
    /// `swift package` has may be taken: in the background, the foreground is the shell's, which
    /// would read an end of its input.
    private func adoptTerminal() {
        guard isatty(0) == 1 else { return }
        let owner = tcgetpgrp(0)
        guard owner > 0, owner != getpgrp(), owner == getpgid(getppid()) else { return }
        signal(SIGTTOU, SIG_IGN)
        if tcsetpgrp(0, getpgrp()) == 0 { setenv("PROVISION_TERMINAL_OWNER", String(owner), 1) }
        signal(SIGTTOU, SIG_DFL)
    }

    /// SwiftPM runs a plugin on a thread with signals blocked, and `execv` inherits that. What asks for the
    /// end waits until the executable is ready for it: who dies of it, SwiftPM reports as a crash.
    private func deferSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_SETMASK, &signals, nil)
    }

    private func become(_ tool: String, _ arguments: [String]) throws {
        var words = ([tool] + arguments).map { strdup($0) } + [nil]
        execv(tool, &words)
        throw StartFailure(tool: tool, reason: String(cString: strerror(errno)))
    }
}

/// The executable was found but does not start.
struct StartFailure: Error, CustomStringConvertible {
    let tool: String
    let reason: String

    var description: String { "could not start \(tool): \(reason)" }
}
