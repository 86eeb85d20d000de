import ArgumentParser
import Authority
import Channels
import Foundation
import Platforms
import Provisioning
import Registry

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What is installed, what is attached, whether registry and authority are sound.",
        discussion: """
            Nothing is changed or created. Exit status 1 where something is wrong that keeps the main job \
            from working; a tool that only some boards need is no such thing.

            With --udev-rules it prints what lets this machine's users open USB devices: rules for the known \
            makers, for the USB devices of your own platform files, and for those named by VID:PID.

            EXAMPLES
              provision doctor
              provision doctor --json
              provision doctor --udev-rules | sudo tee /etc/udev/rules.d/70-provision.rules
              sudo udevadm control --reload && sudo udevadm trigger
            """)

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Print the rules for udev.")
    var udevRules = false

    @Argument(help: ArgumentHelp("With --udev-rules: more devices.", valueName: "vid:pid"))
    var devices: [String] = []

    func validate() throws {
        if !devices.isEmpty, !udevRules {
            throw ValidationError("\(devices[0]) is for --udev-rules only")
        }
        if udevRules, json { throw ValidationError("--udev-rules prints no JSON") }
        _ = try devices.map(Self.selection)
    }

    func run() throws {
        if udevRules { return try printRules() }
        let checkup = Checkup(state: try State(), places: places)
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
    private static func selection(_ device: String) throws -> USBSelection {
        guard let selection = try? USBSelection(parsing: "usb:\(device)"),
            selection.vendorID != nil, selection.serialNumber == nil
        else { throw ValidationError("\(device) is no VID:PID, as 1209:0002") }
        return selection
    }

    private func printRules() throws {
        let catalogue = try places.catalogue()
        var text = UdevRules.builtIn
        for entry in catalogue.entries() {
            guard case .success(let platform) = entry.platform,
                let usb = platform.channel.usb, let vendorID = usb.vendorID
            else { continue }
            text += "# The platform \(platform.name)\n"
            text += USBRules.rule(vendorID: vendorID, productID: usb.productID) + "\n"
        }
        for device in devices {
            let selection = try Self.selection(device)
            guard let vendorID = selection.vendorID else { continue }
            text += "# \(device)\n"
            text += USBRules.rule(vendorID: vendorID, productID: selection.productID) + "\n"
        }
        Terminal.standardOutput.write(text)
    }
}
