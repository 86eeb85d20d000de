import BadLine
import Channels
import Foundation
import JTAGProbe
import Testing

/// Who reads the chip's ID, and what is believed because of it.
@Suite struct IdentifyTests {
    /// A device on a line, and a platform whose tool prints `id`.
    private func enroll(
        tool: String, probeSerial: String? = "p1",
        _ body: (Executable, NativeDevice, () throws -> Executable.Result) throws -> Void
    ) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let platform = try provision.platform(
                "mine",
                """
                [flash]
                method = "command"
                command = ["true", "{image}"]
                [identify]
                command = ["/bin/sh", "-c", '\(tool)', "\(provision.home.path)/id", "{probe}"]
                format = "hex"
                [channel]
                kind = "uart"
                """)
            try body(provision, device) {
                try provision.run(
                    Executable.url,
                    ["enroll", "--port", device.line.port, "--json", "-v"] + platform
                        + (probeSerial.map { ["--probe-serial", $0] } ?? []))
            }
        }
    }

    @Test func whatAToolReadsCountsAsReadByTheProbe() throws {
        try enroll(tool: "[ -e \"$0\" ] && cat \"$0\" || echo 00") { provision, device, enroll in
            let wrong = try enroll()
            wrong.expectError("id-mismatch", status: 7, "the probe read 00")
            // Its own ID stands in the error.
            let words = wrong.standardError.split { !$0.isHexDigit }
            let id = try #require(words.first { $0.count == 16 })
            try Data(id.utf8).write(to: provision.home.appending(path: "id"))
            let right = try enroll()
            try #require(right.status == 0, "\(right.standardError)")
            #expect(try right.json()["isIDReadByProbe"] as? Bool == true)
            #expect(try right.json()["device"] as? String == String(id))
        }
    }

    @Test func aToolThatFailsFailsTheRun() throws {
        try enroll(tool: "echo no such probe >&2; exit 1") { provision, _, enroll in
            try enroll().expectError("probe-unavailable", status: 5, "no such probe")
            #expect(try provision("devices").text.contains("native") == false)
        }
    }

    /// Nobody says which board the tool would read.
    @Test func aToolThatIsNotToldWhichBoardIsNotAsked() throws {
        try enroll(tool: "echo 00", probeSerial: nil) { _, _, enroll in
            let result = try enroll()
            try #require(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["isIDReadByProbe"] as? Bool == false)
            #expect(result.standardError.contains("the chip's ID is not read: no {probe} is known"))
        }
    }

    /// A tool of the firmware package's, wherever the run is started.
    @Test(arguments: ["{package}/tools/read-id", "tools/read-id", "./tools/{board}-id"])
    func aToolOfThePackage(program: String) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let tools = provision.home.appending(path: "package/tools")
            try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
            for name in ["read-id", "native-id"] {
                try Data("#!/bin/sh\necho 00\n".utf8).write(to: tools.appending(path: name))
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o700], ofItemAtPath: tools.path + "/" + name)
            }
            let platform = try provision.platform(
                "mine",
                """
                [flash]
                method = "command"
                command = ["true", "{image}"]
                [identify]
                command = ["\(program)", "{probe}"]
                format = "hex"
                [channel]
                kind = "uart"
                """)
            let result = try provision.run(
                Executable.url,
                [
                    "enroll", "--package-path", "package", "--port", device.line.port,
                    "--probe-serial", "p1",
                ] + platform, in: provision.home)
            result.expectError("id-mismatch", status: 7, "the probe read 00")
        }
    }

    /// OpenOCD's server reads it where RTT goes through the same port.
    @Test(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
    func openOCDsTclPortReads() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let chip = try ChipOnLine(device.line.port)
            chip.ram.edit {
                $0.replaceSubrange(0x1800..<0x1808, with: [UInt8](repeating: 0, count: 8))
            }
            let server = try OpenOCD(chip.ram)
            _ = try server.connect(Interruption())
            let platform = try provision.platform(
                "chip",
                """
                [flash]
                method = "command"
                command = ["true", "{image}"]
                [identify]
                words = [0x20001800, 0x20001804]
                [channel]
                kind = "rtt"
                rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }
                [timeouts]
                boot-ms = 20000
                """)
            func enroll() throws -> Executable.Result {
                try provision.run(
                    Executable.url,
                    ["enroll", "--json", "--port", "openocd:127.0.0.1:\(server.tclPort)"]
                        + platform)
            }
            let wrong = try enroll()
            wrong.expectError("id-mismatch", status: 7, "the probe read 0000000000000000")
            let words = wrong.standardError.split { !$0.isHexDigit }
            let id = try #require(words.last { $0.count == 16 && !$0.allSatisfy { $0 == "0" } })
            let bytes = stride(from: 0, to: 16, by: 2).compactMap { offset in
                UInt8(id.dropFirst(offset).prefix(2), radix: 16)
            }
            chip.ram.edit { $0.replaceSubrange(0x1800..<0x1808, with: bytes) }
            let right = try enroll()
            try #require(right.status == 0, "\(right.standardError)")
            #expect(try right.json()["isIDReadByProbe"] as? Bool == true)
        }
    }
}
