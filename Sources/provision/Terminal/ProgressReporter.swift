import Channels
import Foundation
import Provisioning

/// One line per step, with its duration; the device's log between them where asked for.
final class ProgressReporter: RunObserver {
    private let display: any ProgressDisplay
    private let isVerbose: Bool
    private let clock = ContinuousClock()
    private var step: Step?
    private var start: ContinuousClock.Instant
    private var lastProgress: ContinuousClock.Instant
    private var deviceLog: [String] = []
    private var unfinishedLine: [UInt8] = []
    /// As in the console, but for colours: they would go on in what follows.
    private var filter = TerminalFilter(showsColours: false)
    /// Lines, the last ones, and bytes of a line: a device that only starts has no more to say.
    private static let maximumLogLength = 500
    private static let maximumLineLength = 1000
    private(set) var durations: [(step: Step, summary: String, seconds: Double)] = []

    init(isVerbose: Bool, display: any ProgressDisplay = TerminalDisplay()) {
        self.isVerbose = isVerbose
        self.display = display
        start = clock.now
        lastProgress = start
    }

    func began(_ step: Step) {
        self.step = step
        start = clock.now
        lastProgress = start
        display.show("\(label(step))…")
    }

    func progressed(_ step: Step, done: Int, of total: Int) {
        guard total > 0 else { return }
        show(step, "\(FlashProgress.percentage(done, of: total)) %")
    }

    /// Of a flasher that has more to do than to write.
    func flashing(_ progress: FlashProgress) { show(.flash, "\(progress)") }

    private func show(_ step: Step, _ progress: String) {
        // Silence up to a second needs no explanation; after that, ten lines a second are enough.
        guard display.isLive, clock.now - start > .seconds(1),
            clock.now - lastProgress > .milliseconds(100)
        else { return }
        lastProgress = clock.now
        display.show("\(label(step))\(progress)")
    }

    func ended(_ step: Step, _ summary: String) {
        let seconds = seconds(since: start)
        durations.append((step, summary, seconds))
        self.step = nil
        let time = String(format: "%7.3f s", seconds)
        display.write("\(label(step))\(time)  \(Table.printable(summary))")
    }

    func hasEnded(_ step: Step) -> Bool { durations.contains { $0.step == step } }

    /// A line of the build tool: the latest one shows that it goes on, all of them with `-v`.
    func building(_ line: String) {
        if isVerbose { return noted(line) }
        guard display.isLive, clock.now - lastProgress > .milliseconds(100) else { return }
        lastProgress = clock.now
        let room = max(display.width - 14, 10)
        display.show("\(label(.build))\(Table.printable(String(line.prefix(room))))")
    }

    func noted(_ remark: String) {
        guard isVerbose else { return }
        display.write("            \(Table.printable(remark))")
        if let step { display.show("\(label(step))…") }
    }

    /// What the user has to know, also without `-v`.
    func remarked(_ text: String) {
        display.remark(text)
        if let step { display.show("\(label(step))…") }
    }

    /// What is wrong, and no reason to end the run.
    func warned(_ warning: ProvisioningError) {
        for line in Terminal.lines(ofWarning: warning) { remarked(line) }
    }

    func logged(_ text: [UInt8]) {
        for byte in filter.filter(text) where byte != UInt8(ascii: "\r") {
            if byte == UInt8(ascii: "\n") || unfinishedLine.count == Self.maximumLineLength {
                endLogLine()
            }
            if byte != UInt8(ascii: "\n") {
                unfinishedLine.append(byte == UInt8(ascii: "\t") ? UInt8(ascii: " ") : byte)
            }
        }
    }

    /// What the device wrote to its log while it was provisioned, by lines: the console begins with it.
    func takeDeviceLog() -> [String] {
        endLogLine()
        defer { deviceLog = [] }
        return deviceLog
    }

    private func endLogLine() {
        guard !unfinishedLine.isEmpty else { return }
        let line = Table.printable(String(decoding: unfinishedLine, as: UTF8.self))
        unfinishedLine = []
        noted("| \(line)")
        deviceLog.append(line)
        if deviceLog.count > Self.maximumLogLength { deviceLog.removeFirst() }
    }

    /// After an error: the line of the step that failed must not be overwritten.
    func abandon() {
        display.keep()
        step = nil
    }

    /// An error while cleaning up, which must not hide the run's own.
    func failed(_ error: ProvisioningError) { display.report(error) }

    private func label(_ step: Step) -> String {
        step.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0) + " "
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = (clock.now - start).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
}
