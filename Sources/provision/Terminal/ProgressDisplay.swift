import Provisioning

/// Where the progress of one run is shown.
protocol ProgressDisplay: AnyObject {
    /// Whether a person watches, and lines are rewritten.
    var isLive: Bool { get }
    /// Columns.
    var width: Int { get }

    /// Shows what goes on, until the next call.
    func show(_ line: String)
    /// Shows a line that stays.
    func write(_ line: String)
    /// Shows what the user has to know and did not ask for.
    func remark(_ text: String)
    /// Shows an error that is not the run's own.
    func report(_ error: ProvisioningError)
    /// What was shown last stays.
    func keep()
}

/// Standard error, for a run that has it to itself.
final class TerminalDisplay: ProgressDisplay {
    private let terminal = Terminal.standardError
    private var isShowing = false

    var isLive: Bool { terminal.isInteractive }
    var width: Int { terminal.width }

    func show(_ line: String) {
        guard isLive else { return }
        terminal.write(isShowing ? "\r\u{1B}[K\(line)" : line)
        isShowing = true
    }

    func write(_ line: String) {
        terminal.write((isShowing ? "\r\u{1B}[K" : "") + line + "\n")
        isShowing = false
    }

    func remark(_ text: String) {
        if isShowing { terminal.write("\r\u{1B}[K") }
        isShowing = false
        terminal.remark(text)
    }

    func report(_ error: ProvisioningError) {
        keep()
        terminal.report(error)
    }

    func keep() {
        if isShowing { terminal.write("\n") }
        isShowing = false
    }
}
