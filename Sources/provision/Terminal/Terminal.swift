import ArgumentParser
import Channels
import Foundation
import Provisioning
import Synchronization

/// One of the two outputs: progress and log text go to stderr, results to stdout.
struct Terminal: Sendable {
    let descriptor: Int32

    static let standardOutput = Terminal(descriptor: 1)
    static let standardError = Terminal(descriptor: 2)

    /// The first `errno` that kept a result from standard output. A reader that has seen enough
    /// (`provision keys | head`) loses nothing.
    static var lossOfOutput: Int32? { loss.withLock { $0 } }

    private static let loss = Mutex<Int32?>(nil)

    /// Whether a result, or a part of one, went to standard output, or should have.
    static var hasResult: Bool { beginning.withLock { $0 } }

    private static let beginning = Mutex(false)

    /// Takes the place of the standard streams that this process was started without, before anything is
    /// opened: the first pipe or file would get their numbers, and progress and results with them.
    ///
    /// A result still has nowhere to go, and is lost with an error: what is there can only be read.
    static func holdDescriptors() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDONLY)
        }
    }

    /// Whether a person watches: only then are lines rewritten.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Columns; 80 where nobody says.
    var width: Int { size?.ws_col.nonZero ?? 80 }

    /// Lines; 24 where nobody says.
    var height: Int { size?.ws_row.nonZero ?? 24 }

    private var size: winsize? {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes what this program has to say, under its name. Names and paths in it come from users and
    /// devices: they neither control a terminal nor begin a line.
    ///
    /// - Parameter isUrgent: whether it is what ends a run.
    func remark(_ text: String, isUrgent: Bool = false) {
        // Several lines are a command's last ones behind what became of it.
        let lines = text.components(separatedBy: "\n" + CommandRunner.margin).map(Table.printable)
        let name = "provision: "
        let whole = name + lines.joined(separator: "\n" + name + CommandRunner.margin) + "\n"
        write(Array(whole.utf8), isUrgent: isUrgent)
    }

    /// Writes the two lines of an error: its reason, and what to do next.
    func report(_ error: ProvisioningError) {
        remark(
            "error[\(error.code.rawValue)]: \(Self.shortened(error.reason))", isUrgent: true)
        if let hint = error.hint { remark("hint: \(Self.shortened(hint))") }
    }

    /// What is longer than any path is an argument gone wrong: its beginning tells which.
    static func shortened(_ text: String) -> String {
        guard text.utf8.count > longestWord else { return text }
        return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word.utf8.count > longestWord
                ? "\(word.prefix(200))… (\(word.utf8.count) bytes)" : String(word)
        }.joined(separator: " ")
    }

    /// Linux's PATH_MAX.
    private static let longestWord = 4096

    /// The same of what is no error.
    func warn(_ warning: ProvisioningError) {
        for line in Self.lines(ofWarning: warning) { remark(line) }
    }

    /// What is wrong, and what to do about it.
    static func lines(ofWarning warning: ProvisioningError) -> [String] {
        ["warning[\(warning.code.rawValue)]: \(warning.reason)"]
            + (warning.hint.map { ["hint: \($0)"] } ?? [])
    }

    /// Writes everything, or gives up: `provision keys | head`. A result waits for its reader, but not beyond
    /// Ctrl-C; progress is lost in the end.
    ///
    /// - Parameter isUrgent: whether it is what ends a run.
    /// - Returns: 0, or the `errno` that it gave up with: `EINTR` for Ctrl-C.
    @discardableResult
    func write(_ bytes: [UInt8], isUrgent: Bool = false) -> Int32 {
        switch descriptor {
        case Self.standardOutput.descriptor:
            let error = Self.writeResult(bytes)
            if error != 0, error != EPIPE { Self.loss.withLock { $0 = $0 ?? error } }
            return error
        case Self.standardError.descriptor:
            return Self.progress.write(bytes, isUrgent: isUrgent)
        default: return OutputWriter.write(bytes, to: descriptor)
        }
    }

    private static let results = OutputWriter(descriptor: standardOutput.descriptor)
    private static let progress = ProgressOutput(descriptor: standardError.descriptor)

    /// What comes behind Ctrl-C, as the document of that very error, still has that long to be taken.
    private static let patience = Duration.milliseconds(500)
    /// Between two looks whether it came.
    private static let interval = Duration.milliseconds(20)

    private static func writeResult(_ bytes: [UInt8]) -> Int32 {
        if !bytes.isEmpty { begin() }
        let part = results.submit(bytes)
        while true {
            if let error = part.wait(until: .now + interval) { return error }
            if isInterrupted, part.began + patience < .now { return EINTR }
        }
    }

    private static func begin() {
        beginning.withLock { hasBegun in
            if !hasBegun { Interruption.writesOnSignals(nil) }
            hasBegun = true
        }
    }

    private static let interruption = Mutex<@Sendable () -> Bool>({ false })

    /// Has what waits for somebody's reading end once `isInterrupted` says so.
    static func endWaits(_ isInterrupted: @escaping @Sendable () -> Bool) {
        interruption.withLock { $0 = isInterrupted }
    }

    static var isInterrupted: Bool { interruption.withLock { $0 }() }

    /// The last call: says what was lost of the progress.
    static func finish() { progress.finish() }

    /// Writes everything of a part of a long result.
    ///
    /// - Throws: success if the reader has seen enough, so that nobody makes the rest; `.usage` if it
    ///   can't be written.
    func writePart(_ bytes: [UInt8]) throws {
        let error = write(bytes)
        guard error != EPIPE else { throw ExitCode.success }
        guard error == 0 else { throw Self.unwritable(error) }
    }

    static func unwritable(_ error: Int32) -> ProvisioningError {
        let consequence =
            "what was asked for is done, only its result is not shown: "
            + "provision devices shows what is recorded"
        if error == EINTR {
            return ProvisioningError(
                .interrupted, "interrupted while nobody reads standard output", hint: consequence)
        }
        let room = [ENOSPC, EDQUOT].contains(error) ? "make room on its disk; " : ""
        return ProvisioningError(
            .usage, "standard output can't be written: \(String(cString: strerror(error)))",
            hint: room + consequence)
    }
}

extension UInt16 {
    fileprivate var nonZero: Int? { self == 0 ? nil : Int(self) }
}
