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
            built-in ones. What boards share stands in `families` and `tools` of such a folder. A program \
            provision-platform-NAME in a folder of PATH is a platform, too: it is not listed, and asked \
            when it is named.

            EXAMPLES
              provision platforms
              provision platforms microbit
              provision platforms validate my-boards/*.toml my-boards/families/*.toml
              provision platforms match
            """,
        subcommands: [
            PlatformsListCommand.self, PlatformsShowCommand.self, PlatformsValidateCommand.self,
            PlatformsMatchCommand.self,
        ],
        defaultSubcommand: PlatformsListCommand.self)
}

struct PlatformsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "All of them, or more of one (the default).")

    @Argument(
        help: "A board to tell more of, as `show` does.",
        completion: .shellCommand("provision platforms --names"))
    var name: String?

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Print the names only, one on each line.")
    var names = false

    @Flag(help: "Print one JSON document.")
    var json = false

    private struct Row: Encodable {
        let name: String
        let board: String?
        let family: String?
        let description: String?
        let origin: String
        let error: String?
    }

    func validate() throws {
        if names, name != nil { throw ValidationError("--names lists all, and takes no name") }
    }

    func run() throws {
        let catalogue = try places.catalogue()
        if let name { return try PlatformsShowCommand.show(name, in: catalogue, json: json) }
        // Names alone need no file to be read.
        if names { return try show(names: catalogue.names) }
        let rows = catalogue.entries().map { entry in
            switch entry.platform {
            case .success(let platform):
                Row(
                    name: entry.name, board: platform.board, family: platform.family?.name,
                    description: platform.description, origin: entry.origin, error: nil)
            case .failure(let error):
                Row(
                    name: entry.name, board: nil, family: nil, description: nil,
                    origin: entry.origin, error: error.reason)
            }
        }
        if json { return try JSONDocument.print(["platforms": rows]) }
        var table = Table("PLATFORM", "BOARD", "FAMILY", "FROM", "DESCRIPTION")
        for row in rows {
            table.append(
                row.name, row.board ?? "-", row.family ?? "-", row.origin,
                row.description ?? "invalid: \(row.error ?? "")")
        }
        Terminal.standardOutput.write(table.text)
    }

    private func show(names: [String]) throws {
        if json { return try JSONDocument.print(["names": names]) }
        Terminal.standardOutput.write(names.map { Table.printable($0) + "\n" }.joined())
    }
}

struct PlatformsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "How one is flashed, identified and reached, and where each of it stands.",
        discussion: """
            EXAMPLES
              provision platforms show nrf52840dk
              provision platforms show nrf52840dk --json
            """)

    @Argument(help: "The board.", completion: .shellCommand("provision platforms --names"))
    var name: String

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws { try Self.show(name, in: places.catalogue(), json: json) }

    static func show(_ name: String, in catalogue: PlatformCatalogue, json: Bool) throws {
        let details = PlatformDetails(
            try catalogue.platform(named: name, orAskingWith: nil))
        if json { return try JSONDocument.print(details) }
        Terminal.standardOutput.write(details.text)
    }
}
