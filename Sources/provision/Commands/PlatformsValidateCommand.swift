import ArgumentParser
import Foundation
import Platforms
import Provisioning

struct PlatformsValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Whether platform files, families and tools are good.",
        discussion: """
            A file in a folder `families` or `tools` is one of these. What a file refers to is looked for \
            beside it first. The exit status is 2 if any is bad.

            EXAMPLES
              provision platforms validate my-board.toml
              provision platforms validate platforms/*.toml platforms/families/*.toml --json
            """)

    @Argument(help: "The files.", completion: .file(extensions: ["toml"]))
    var files: [String]

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Print one JSON document.")
    var json = false

    private struct Row: Encodable {
        let file: String
        let kind: String?
        let name: String?
        let error: String?
        let hint: String?
    }

    func run() throws {
        let catalogue = try places.catalogue()
        var rows: [Row] = []
        var failures: [ProvisioningError] = []
        for file in files {
            do throws(ProvisioningError) {
                let found = try PlatformFile(checking: file, catalogue)
                rows.append(
                    Row(
                        file: file, kind: found.kind.rawValue, name: found.name, error: nil,
                        hint: nil))
            } catch {
                failures.append(error)
                rows.append(
                    Row(file: file, kind: nil, name: nil, error: error.reason, hint: error.hint))
            }
        }
        if json {
            try JSONDocument.print(["files": rows])
        } else {
            for row in rows {
                let result = row.name.map { "the \(row.kind ?? "") \($0), valid" } ?? "invalid"
                Terminal.standardOutput.write(Table.printable("\(row.file): \(result)") + "\n")
            }
        }
        guard let last = failures.last else { return }
        for failure in failures.dropLast() { Terminal.standardError.report(failure) }
        throw last
    }
}
