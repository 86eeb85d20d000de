import Foundation
import Testing

/// What `provision doctor --udev-rules` prints, for a machine on which users may not open USB devices.
@Suite struct UdevRulesTests {
    @Test func theRulesHaveTheDevicesThatAreNamed() throws {
        try Executable.withHome { executable in
            let result = try executable("doctor", "--udev-rules", "cafe:0001", "0xBEEF:2")
            #expect(result.status == 0)
            #expect(result.standardError == "")
            let shipped = try String(
                contentsOf: Executable.packageRoot.appending(path: "platforms/70-provision.rules"),
                encoding: .utf8)
            #expect(result.text.hasPrefix(shipped))
            for numbers in [("cafe", "0001"), ("beef", "0002")] {
                let rule =
                    "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", "
                    + "ATTR{idVendor}==\"\(numbers.0)\", ATTR{idProduct}==\"\(numbers.1)\", "
                    + "MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\"\n"
                #expect(result.text.contains(rule))
            }
        }
    }

    /// The user's own platform files say which devices they are.
    @Test func theRulesHaveTheDevicesOfPlatforms() throws {
        try Executable.withHome { executable in
            let folder = executable.home.appending(path: "platforms")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
            try Data(
                """
                name = "mine"
                description = "a board"
                board = "mine"
                [flash]
                method = "gdb"
                [channel]
                kind = "usb"
                usb = { vendor = 0xABCD, product = 0x0042 }
                """.utf8
            ).write(to: folder.appending(path: "mine.toml"))
            let result = try executable.run(
                Executable.url, ["doctor", "--udev-rules"], in: executable.home)
            #expect(result.text.contains("ATTR{idVendor}==\"abcd\", ATTR{idProduct}==\"0042\""))
        }
    }

    @Test(arguments: [
        ["--udev-rules", "1209"], ["--udev-rules", "1209:xyz"], ["--udev-rules", "1209:1:SN"],
        ["1209:0001"], ["--udev-rules", "--json"],
    ])
    func whatIsNoDeviceIsRefused(arguments: [String]) throws {
        try Executable.withHome { executable in
            let result = try executable.run(Executable.url, ["doctor"] + arguments)
            result.expectError("usage", status: 2)
            #expect(!result.text.contains("ATTR"))
        }
    }
}
