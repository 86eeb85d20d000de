import ArgumentParser
import Foundation
import Platforms
import Provisioning

struct PlatformsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platforms",
        abstract: "The boards that this installation knows.",
        discussion: """
            A platform is one TOML file. Folders are searched in this order: --platforms, `platforms` in \
            the firmware package, `provision/platforms` in the configuration directory; then come the \
            built-in ones. A program provision-platform-NAME in a folder of PATH is a platform, too: \
            it is not listed, and asked when it is named.

            EXAMPLES
              provision platforms
              provision platforms microbit
              provision platforms --platforms ./my-boards --json
            """)

    @Argument(
        help: "A board to tell more of: how it is reached, and how long all may take.",
        completion: .shellCommand("provision platforms --names"))
    var name: String?

    @Option(
        name: .customLong("platforms"),
        help: ArgumentHelp("A folder with platform files of your own.", valueName: "folder"))
    var folders: [String] = []

    @Option(help: ArgumentHelp("The firmware package.", valueName: "folder"))
    var packagePath = "."

    @Flag(help: "Print the names only, one on each line.")
    var names = false

    @Flag(help: "Print one JSON document.")
    var json = false

    private struct Row: Encodable {
        let name: String
        let board: String?
        let description: String?
        let origin: String
        let error: String?
    }

    func validate() throws {
        if names, name != nil { throw ValidationError("--names lists all, and takes no name") }
    }

    private func show(_ details: PlatformDetails) throws {
        if json { return try JSONDocument.print(details) }
        Terminal.standardOutput.write(details.text)
    }

    func run() throws {
        let catalogue = try PlatformCatalogue(
            requested: folders, package: packagePath,
            environment: ProcessInfo.processInfo.environment)
        if let name {
            return try show(
                PlatformDetails(
                    try catalogue.platform(named: name, orAskingWith: nil)))
        }
        let rows = catalogue.entries().map { entry in
            switch entry.platform {
            case .success(let platform):
                Row(
                    name: entry.name, board: platform.board, description: platform.description,
                    origin: entry.origin, error: nil)
            case .failure(let error):
                Row(
                    name: entry.name, board: nil, description: nil, origin: entry.origin,
                    error: error.reason)
            }
        }
        if names, json {
            try JSONDocument.print(["names": rows.map(\.name)])
        } else if names {
            Terminal.standardOutput.write(rows.map { Table.printable($0.name) + "\n" }.joined())
        } else if json {
            try JSONDocument.print(["platforms": rows])
        } else {
            var table = Table("PLATFORM", "BOARD", "FROM", "DESCRIPTION")
            for row in rows {
                table.append(
                    row.name, row.board ?? "-", row.origin,
                    row.description ?? "invalid: \(row.error ?? "")")
            }
            Terminal.standardOutput.write(table.text)
        }
    }
}
