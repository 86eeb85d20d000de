import Foundation
import Provisioning

/// The one result of a command that works with a board, for people or programs. In its file it is the error
/// that may be in its place, so that an earlier run's does not pass for this one's.
final class ResultDocument {
    private let options: OutputOptions
    private var isBegun = false

    private init(_ options: OutputOptions) { self.options = options }

    /// Runs `body`. An error that it throws before it shows a result is the document in the file; on standard
    /// output it is shown as every command's.
    static func write(
        _ options: OutputOptions, _ body: (ResultDocument) throws -> Void
    ) throws {
        let document = ResultDocument(options)
        do {
            // Before a board is touched: a report that can't be written must not cost the result of a run.
            try options.checkReport()
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
