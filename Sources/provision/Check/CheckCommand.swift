import ArgumentParser
import Foundation
import PlatformAdapter
import Platforms
import Provisioning

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Whether a platform file or an adapter keeps its promises.",
        discussion: """
            Without --device it takes no hardware: a simulated device is provisioned, over lines that \
            lose, repeat and delay, and an adapter gets a board in a folder. Exit status 1 where a check \
            fails.

            With --device a real board is asked, and nothing is registered. The board keeps the image where \
            --firmware names one, and makes its key if it has none; no credential is written to it. The \
            conversation is kept in a file, and can be had again without the board with --replay.

            EXAMPLES
              provision check ./platforms/mine.toml
              provision check ./provision-platform-mine
              provision check microbit
              provision check mine --device --port /dev/ttyACM0 --record mine.transcript
              provision check mine --replay mine.transcript
            """)

    @Argument(
        help: "The path of a platform file or of an adapter, or a platform's name.",
        completion: .custom { _, _, start in Self.subjects(beginningWith: start) })
    var subject: String

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Ask a real board, too.")
    var device = false

    @Option(
        help: ArgumentHelp("With --device: the image to flash before.", valueName: "file"),
        completion: .file())
    var firmware: String?

    @Option(
        help: ArgumentHelp(
            "With --device: where the conversation is kept. Default: NAME.transcript, in the current "
                + "folder.", valueName: "file"),
        completion: .file())
    var record: String?

    @Option(
        help: ArgumentHelp("Have a conversation again that --record kept.", valueName: "file"),
        completion: .file())
    var replay: String?

    @Option(
        help: ArgumentHelp("With --device: as for provision run.", valueName: "path"),
        completion: .file())
    var port: String?

    @Option(help: ArgumentHelp("With --device: as for provision run.", valueName: "endpoint"))
    var probe: String?

    @Option(help: ArgumentHelp("With --device: as for provision run.", valueName: "serial"))
    var probeSerial: String?

    @Option(help: ArgumentHelp("With --device: as for provision run.", valueName: "serial"))
    var usbSerial: String?

    @Option(help: ArgumentHelp("With --device: as for provision run.", valueName: "name"))
    var instance: String?

    @OptionGroup var link: LinkOptions

    @Flag(help: "Print one JSON document.")
    var json = false

    /// Names of platforms; and platform files, adapters and folders where `start` leads to.
    private static func subjects(beginningWith start: String) -> [String] {
        let folder = start.lastIndex(of: "/").map { String(start[...$0]) } ?? ""
        let place = folder.isEmpty ? "." : folder
        let files = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        let paths = files.compactMap { name -> String? in
            var isFolder = ObjCBool(false)
            _ = FileManager.default.fileExists(atPath: "\(place)/\(name)", isDirectory: &isFolder)
            guard !isFolder.boolValue else {
                return name.hasPrefix(".") ? nil : "\(folder)\(name)/"
            }
            // Without a slash, a program's name would be a platform's.
            let isAdapter = !folder.isEmpty && name.hasPrefix(AdapterProtocol.programPrefix)
            return name.hasSuffix(".toml") || isAdapter ? folder + name : nil
        }
        return ((try? CatalogueOptions.parse([]).catalogue().names) ?? []) + paths.sorted()
    }

    func validate() throws {
        for (option, value) in [
            ("--firmware", firmware), ("--record", record), ("--port", port), ("--probe", probe),
            ("--probe-serial", probeSerial), ("--usb-serial", usbSerial), ("--instance", instance),
        ] where value != nil && !device {
            throw ValidationError("\(option) is for --device only")
        }
        if record == "-" {
            throw ValidationError("--record writes a file; standard output has the checks")
        }
        if port == "" { throw ValidationError("--port names no port") }
        if device, replay != nil { throw ValidationError("--replay takes no --device") }
        for option in link.givenForPort where !device {
            throw ValidationError("\(option) is for --device only")
        }
        for option in link.givenForMessages where !device && replay == nil {
            throw ValidationError("\(option) is for --device or --replay only")
        }
    }

    /// Its own --device is a flag.
    private var connection: Connection {
        Connection(
            port: port, link: link.link, probe: probe, probeSerial: probeSerial,
            usbSerial: usbSerial, instance: instance)
    }

    func run() throws {
        let session = try Session(isVerbose: false)
        let subject = try CheckSubject(subject, places.catalogue())
        let board = DeviceCheck(subject: subject, connection: connection, session: session)
        var results: [CheckResult]
        if let replay {
            results = [try board.replay(replay)]
        } else {
            results = try Checks(subject: subject, session: session).run()
            if device {
                results.append(
                    try board.run(
                        firmware: firmware, packagePath: places.packagePath, record: record))
            }
        }
        try show(results, of: subject)
        try session.interruption.check()
        if results.contains(where: { $0.outcome == .failed }) { throw ExitCode(1) }
    }

    private func show(_ results: [CheckResult], of subject: CheckSubject) throws {
        if json { return try JSONDocument.print(["checks": results]) }
        var table = Table("", "WHAT", "PROMISE", "MS", "FOUND")
        for result in results {
            table.append(
                result.mark, result.group, result.name, String(result.milliseconds), result.detail)
        }
        Terminal.standardOutput.write(table.text)
        let count = { (outcome: CheckResult.Outcome) in results.count { $0.outcome == outcome } }
        Terminal.standardOutput.write(
            "\(Table.printable(subject.name)): \(count(.passed)) passed, \(count(.failed)) failed, "
                + "\(count(.skipped)) skipped\n")
    }
}
