import ArgumentParser
import Authority
import Channels
import Foundation
import Provisioning
import Registry

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What is installed, what is attached, whether registry and authority are sound.",
        discussion: """
            Nothing is changed or created. Exit status 1 where something is wrong that keeps the main job \
            from working; a tool that only some boards need is no such thing.

            EXAMPLES
              provision doctor
              provision doctor --json
            """)

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let checkup = Checkup(state: try State())
        let findings = checkup.findings()
        if json {
            try JSONDocument.print(["findings": findings])
        } else {
            var table = Table("", "WHAT", "FOUND")
            for finding in findings {
                table.append(finding.severity.mark, finding.subject, finding.text)
            }
            Terminal.standardOutput.write(table.text)
            for finding in findings where finding.hint != nil {
                let hint = "hint: \(finding.subject): \(finding.hint ?? "")"
                Terminal.standardOutput.write(Table.printable(hint) + "\n")
            }
        }
        if findings.contains(where: { $0.severity == .problem }) { throw ExitCode(1) }
    }
}
