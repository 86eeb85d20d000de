import Foundation
import Provisioning
import Synchronization

/// The one result of a command that works with a board, for people or programs. In its file it is the error
/// that may be in its place, so that an earlier run's does not pass for this one's.
final class ResultDocument {
    private let options: OutputOptions
    private var isBegun = false

    private init(_ options: OutputOptions) { self.options = options }

    private static let begun = Mutex(false)

    /// Of a command line that can't be understood: an earlier run's document in the file would pass for this
    /// one's. To no effect once `write` was called, or where it is not clear which file is meant.
    static func replaceReport(namedIn arguments: [String], with error: ProvisioningError) {
        let words = Array(arguments.prefix { $0 != "--" })
        let command = words.first.flatMap { $0.hasPrefix("-") ? nil : $0 } ?? "run"
        guard !begun.withLock({ $0 }), ["run", "enroll", "flash"].contains(command) else { return }
        var paths: [String] = []
        for (number, word) in words.enumerated() {
            if word == "--report", number + 1 < words.count { paths.append(words[number + 1]) }
            if word.hasPrefix("--report=") {
                paths.append(String(word.dropFirst("--report=".count)))
            }
        }
        var status = stat()
        guard let path = paths.first, paths.count == 1, !path.isEmpty, !path.hasPrefix("-"),
            // Nobody waits for a pipe's reader, nor writes a second document where the first one went.
            stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        else { return }
        var options = OutputOptions()
        (options.json, options.verbose, options.report) = (false, false, path)
        guard (try? options.checkReport()) != nil else { return }
        ResultDocument(options).report(error)
    }

    /// Runs `body`. An error that it throws before it shows a result is the document in the file; on standard
    /// output it is shown as every command's.
    static func write(
        _ options: OutputOptions, _ body: (ResultDocument) throws -> Void
    ) throws {
        let document = ResultDocument(options)
        begun.withLock { $0 = true }
        // Before a board is touched: a report that can't be written must not cost the result of a run.
        try options.checkReport()
        do {
            try body(document)
        } catch let error as ProvisioningError {
            if !document.isBegun { document.report(error) }
            throw error
        }
    }

    /// The record goes to stdout, and to the file that was asked for.
    func show(_ record: some Encodable, text: @autoclosure () -> String) throws {
        try show(document: try JSONDocument.encode(record), text: text())
    }

    /// - Parameter document: what `JSONDocument` makes of the record.
    func show(document: Data, text: @autoclosure () -> String) throws {
        isBegun = true
        let output = try ExportDestination(path: nil)
        if options.json { output.write(document) } else { output.write(text()) }
        try report(document)
        try output.commit()
    }

    private func report(_ error: ProvisioningError) {
        do {
            try report(try JSONDocument.encode(ErrorDocument(error)))
        } catch let second as ProvisioningError where second.reason != error.reason {
            Terminal.standardError.report(second)
        } catch {
            // It is the error that is thrown anyhow.
        }
    }

    private func report(_ document: Data) throws {
        guard let path = options.report else { return }
        let destination = try ExportDestination(path: path, option: "--report")
        destination.write(document)
        try destination.commit()
    }
}
