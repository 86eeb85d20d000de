import ArgumentParser

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
    }

    /// Whether the report can be written, found out without changing it.
    func checkReport() throws {
        if let report { try ExportDestination.check(path: report, option: "--report") }
    }
}
