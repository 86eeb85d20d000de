import ArgumentParser
import Channels
import Foundation
import Provisioning

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Start from a template: firmware, an adapter, a build system's hook.",
        discussion: """
            Makes a new folder, in which everything builds at once. No file that exists is changed.

            EXAMPLES
              provision init --list
              provision init embedded-swift my-firmware
              provision init hooks/cmake my-firmware
            """)

    @Argument(
        help: "A name that --list shows, or its last part.",
        completion: .custom { _, _, _ in
            ((try? TemplateCatalogue.installed().templates()) ?? []).map(\.name)
        })
    var template: String?

    @Argument(help: "The folder to make. Default: the template's name.", completion: .directory)
    var folder: String?

    @Flag(help: "List the templates.")
    var list = false

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        if list, template != nil { throw ValidationError("--list takes no template") }
        if !list, template == nil { throw ValidationError("name a template; --list shows them") }
        if folder == "" { throw ValidationError("the folder has no name") }
    }

    private struct Report: Encodable {
        let template: String
        let path: String
        let files: [String]
    }

    func run() throws {
        let interruption = try Interruption.handlingSignals()
        PluginHost.current.watch { interruption.interrupt() }
        let catalogue = try TemplateCatalogue.installed()
        guard let template else { return try show(catalogue) }
        let chosen = try catalogue.template(named: template)
        let path = URL(filePath: folder ?? chosen.shortName).standardizedFileURL.path
        let files = try TemplateCopy(chosen, in: catalogue).make(at: path, interruption)
        if json {
            return try JSONDocument.print(
                Report(template: chosen.name, path: path, files: files))
        }
        Terminal.standardOutput.write("\(Table.printable(path)): \(files.count.counted("file"))\n")
        if files.contains("README.md") {
            Terminal.standardError.remark("how it goes on says \(path)/README.md")
        }
    }

    private func show(_ catalogue: TemplateCatalogue) throws {
        let templates = try catalogue.templates()
        if json { return try JSONDocument.print(["templates": templates]) }
        var table = Table("TEMPLATE", "WHAT")
        for template in templates { table.append(template.name, template.title) }
        Terminal.standardOutput.write(table.text)
    }
}
