import ArgumentParser
import Foundation

/// What a person, or a program, gets to see.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the result, or the error, as one JSON document.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Also write that document to a file; works through `swift package` too.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var report: String?

    @Flag(name: .shortAndLong, help: "Show retries and the device's log.")
    var verbose = false

    func validate() throws {
        if report == "" { throw ValidationError("--report names no file") }
        if report == "-" {
            throw ValidationError("--report writes a file; --json writes to standard output")
        }
        if json, let report, Self.isStandardOutput(report) {
            throw ValidationError("--report \(report) is where --json writes, too")
        }
    }

    /// Whether the report can be written, found out without changing it.
    func checkReport() throws {
        if let report { try ExportDestination.check(document: report, option: "--report") }
    }

    /// Two documents there would be none. What is thrown away may be both.
    private static func isStandardOutput(_ path: String) -> Bool {
        var (there, output) = (stat(), stat())
        guard stat(path, &there) == 0, fstat(STDOUT_FILENO, &output) == 0,
            there.st_dev == output.st_dev, there.st_ino == output.st_ino
        else { return false }
        return there.st_mode & S_IFMT != S_IFCHR || isatty(STDOUT_FILENO) == 1
    }
}
