import Foundation
import Provisioning
import Synchronization

/// A line of standard error for each of several boards, which work side by side: rewritten where a person
/// watches, else each line behind its board's name.
final class FleetProgress: Sendable {
    private let names: [String]
    private let isLive: Bool
    private let nameWidth: Int
    private let pending = Mutex(Pending())

    /// Whole lines, which never mix: the board whose line comes first writes those of the others, too, for as
    /// long as more come. Were each to wait for its own, the boards would wait for each other.
    private struct Pending {
        var text = ""
        var isBeingWritten = false
    }

    /// - Parameter isVerbose: more lines than there is room to rewrite.
    init(_ names: [String], isVerbose: Bool) {
        self.names = names.map(Table.printable)
        nameWidth = self.names.map(\.count).max() ?? 0
        let terminal = Terminal.standardError
        isLive = !isVerbose && terminal.isInteractive && names.count < terminal.height
        if isLive {
            let lines = self.names.map { cut("\(padded($0))  waiting") + "\n" }
            terminal.write(lines.joined())
        }
    }

    /// Where the board of this number, from 0, shows its progress.
    func display(for number: Int) -> any ProgressDisplay { Row(self, number) }

    fileprivate func show(_ text: String, of number: Int, stays: Bool) {
        let line = "\(padded(names[number]))  \(text)"
        if isLive {
            let up = names.count - number
            write("\u{1B}[\(up)A\r\u{1B}[K\(cut(line))\u{1B}[\(up)B\r")
        } else if stays {
            write(line + "\n")
        }
    }

    private func write(_ text: String) {
        let isFirst = pending.withLock { pending in
            pending.text += text
            defer { pending.isBeingWritten = true }
            return !pending.isBeingWritten
        }
        guard isFirst else { return }
        while let next = takePending() { Terminal.standardError.write(next) }
    }

    /// Nil: there is no more, and the next line has somebody else write it.
    private func takePending() -> String? {
        pending.withLock { pending in
            guard !pending.text.isEmpty else {
                pending.isBeingWritten = false
                return nil
            }
            defer { pending.text = "" }
            return pending.text
        }
    }

    /// A line that wraps would push the others away.
    private func cut(_ line: String) -> String {
        String(line.prefix(max(Terminal.standardError.width - 1, 20)))
    }

    private func padded(_ name: String) -> String {
        name + String(repeating: " ", count: nameWidth - name.count)
    }

    private final class Row: ProgressDisplay {
        private let progress: FleetProgress
        private let number: Int

        init(_ progress: FleetProgress, _ number: Int) {
            self.progress = progress
            self.number = number
        }

        var isLive: Bool { progress.isLive }
        var width: Int { max(Terminal.standardError.width - progress.nameWidth - 2, 20) }

        func show(_ line: String) { progress.show(line, of: number, stays: false) }
        func write(_ line: String) { progress.show(line, of: number, stays: true) }
        func keep() {}

        func remark(_ text: String) { write(Table.printable(text)) }

        func report(_ error: ProvisioningError) {
            write(Table.printable("error[\(error.code.rawValue)]: \(error.reason)"))
        }
    }
}
