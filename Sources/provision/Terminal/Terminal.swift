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
    func remark(_ text: String) {
        // Several lines are a command's last ones behind what became of it.
        let lines = text.components(separatedBy: "\n" + CommandRunner.margin).map(Table.printable)
        let name = "provision: "
        write(name + lines.joined(separator: "\n" + name + CommandRunner.margin) + "\n")
    }

    /// Writes the two lines of an error: its reason, and what to do next.
    func report(_ error: ProvisioningError) {
        remark("error[\(error.code.rawValue)]: \(Self.shortened(error.reason))")
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
        remark("warning[\(warning.code.rawValue)]: \(warning.reason)")
        if let hint = warning.hint { remark("hint: \(hint)") }
    }

    /// Writes everything, or gives up: `provision keys | head`.
    ///
    /// - Returns: 0, or the `errno` that it gave up with.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1000)
            } else if errno != EINTR {
                return giveUp(errno)
            }
        }
        return 0
    }

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
        let room = [ENOSPC, EDQUOT].contains(error) ? "make room on its disk; " : ""
        return ProvisioningError(
            .usage, "standard output can't be written: \(String(cString: strerror(error)))",
            hint: room + "what was asked for is done, only its result is not shown: "
                + "provision devices shows what is recorded")
    }

    private func giveUp(_ error: Int32) -> Int32 {
        if descriptor == Self.standardOutput.descriptor, error != EPIPE {
            Self.loss.withLock { $0 = $0 ?? error }
        }
        return error
    }
}

extension UInt16 {
    fileprivate var nonZero: Int? { self == 0 ? nil : Int(self) }
}
