import Attestation
import Foundation
import JTAGProbe
import Provisioning
import Testing

@testable import Channels

/// A chip's ID by way of a tool: a shell script in place of most, and the real OpenOCD.
@Suite struct CommandIDReaderTests {
    private let interruption: Interruption
    private let folder: TemporaryFolder
    private static let bytes: [UInt8] = [0xF3, 0x76, 0x55, 0x99, 0x13, 0x86, 0x03, 0x88]

    init() throws {
        interruption = try Interruption()
        folder = try TemporaryFolder()
    }

    private func read(
        _ script: String, _ format: DeviceIDFormat = .probeRS, words: [UInt64]? = [0x100, 0x104],
        file: [String] = [], values: [CommandPlaceholder: String] = [.probe: "p1"],
        timeout: Duration = .seconds(60)
    ) throws -> DeviceID {
        let arguments =
            ["/bin/sh", "-c", script, "sh", "--probe={probe}"]
            + (format.isOfMemory ? ["{address}", "{words}", "{length}"] : [])
            + (file.isEmpty ? [] : ["{script}"])
        let command = DeviceIDCommand(
            try CommandTemplate(arguments), format,
            script: try file.map { try CommandTemplate([$0]) })
        return try CommandIDReader(
            command, location: words.flatMap { DeviceIDLocation(words: $0) }, values: values,
            directory: folder.path, timeout: timeout, interruption: interruption
        ).readDeviceID()
    }

    private func failure(_ body: () throws -> DeviceID) throws -> ProvisioningError {
        let error = #expect(throws: ProvisioningError.self) { try body() }
        return try #require(error)
    }

    @Test func asksForWhatThePlatformNames() throws {
        let seen = "\(folder.path)/seen"
        let script = "printf '%s\\n' \"$@\" >> '\(seen)'; echo 995576f3 88038613"
        #expect(try read(script).bytes == Self.bytes)
        #expect(
            try String(contentsOfFile: seen, encoding: .utf8) == "--probe=p1\n0x100\n2\n8\n")
    }

    /// One region after the other, and the order is the place's.
    @Test func wordsThatLieApart() throws {
        let script = "case $2 in 0x100) echo 00000001 00000002;; 0x114) echo 00000003;; esac"
        let id = try read(script, words: [0x100, 0x104, 0x114])
        #expect(id.bytes == [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])
    }

    @Test func manyWordsTakeSeveralRuns() throws {
        let script =
            "case $3 in 8) echo 0 | tr 0 ' '; for i in 1 2 3 4 5 6 7 8; do echo 0000000$i; done;; 1) echo 00000009;; esac"
        let id = try read(script, words: (0..<9).map { 0x100 + 4 * $0 })
        #expect(id.bytes.count == 36)
        #expect(id.bytes[32] == 9)
    }

    @Test func aScriptIsAFileThatGoesAway() throws {
        let seen = "\(folder.path)/seen"
        let script = "echo \"$5\" > '\(seen)'; cat \"$5\" >&2; echo '00000100 = 995576F3 88038613'"
        let id = try read(script, .jLink, file: ["mem32 {address}, {words}", "exit"])
        #expect(id.bytes == Self.bytes)
        let path = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n")[0]
        #expect(!FileManager.default.fileExists(atPath: String(path)))
    }

    @Test func aToolThatKnowsTheID() throws {
        let mac = try read("echo MAC: 7c:df:a1:00:11:22", .esptoolMAC, words: nil)
        #expect(mac.bytes == [0x7C, 0xDF, 0xA1, 0x00, 0x11, 0x22])
        // Not what the platform says.
        let other = try failure {
            try read("echo MAC: 7c:df:a1:00:11:22", .esptoolMAC, words: [0x100, 0x104])
        }
        #expect(other.code == .probeProtocol)
        #expect(other.reason.contains("6 bytes") && other.reason.contains("8"))
    }

    private static let hostile: [(String, ErrorCode, String)] = [
        ("exit 3", .probeUnavailable, "status 3"),
        ("kill -9 $$", .probeUnavailable, "signal 9"),
        ("echo no probe found >&2; exit 1", .probeUnavailable, "no probe found"),
        ("true", .probeProtocol, "did not print the 2 words at 0x100"),
        ("echo 995576f3", .probeProtocol, "its last line: 995576f3"),
        ("echo 995576f3 88038613 00000000", .probeProtocol, "did not print"),
        ("yes | head -n 5000", .probeProtocol, "more than 1000 lines"),
        ("head -c 9000 /dev/zero | tr '\\0' 0", .probeProtocol, "4096 bytes"),
        ("printf '\\033[2J\\n'", .probeProtocol, "did not print"),
    ]

    @Test(arguments: hostile) func refuses(_ what: (String, ErrorCode, String)) throws {
        let error = try failure { try read(what.0) }
        #expect(error.code == what.1)
        #expect(error.reason.contains(what.2), "\(error.reason)")
        #expect(!error.reason.contains("\u{1B}"))
    }

    @Test func givesUpOnOneThatHangs() throws {
        let error = try failure { try read("sleep 100", timeout: .milliseconds(200)) }
        #expect(error.code == .probeUnavailable)
        #expect(error.reason.contains("took longer than"))
    }

    @Test func refusesAProbeThatWouldBeAnOption() throws {
        let command = DeviceIDCommand(
            try CommandTemplate(["/bin/echo", "{probe}"]), .hexadecimal, script: [])
        let reader = CommandIDReader(
            command, location: nil, values: [.probe: "--help"], timeout: .seconds(60),
            interruption: interruption)
        #expect(try failure { try reader.readDeviceID() }.code == .usage)
    }

    /// What it prints is its own, whatever this test believes.
    @Test(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
    func theRealOpenOCDReads() throws {
        let ram = TargetRAM()
        ram.edit { ram in
            ram.replaceSubrange(0x40..<0x48, with: Self.bytes)
            ram.replaceSubrange(0x54..<0x58, with: [9, 8, 7, 6])
        }
        let probe = try JTAGProbe(ram)
        let configuration = [
            "adapter driver remote_bitbang", "remote_bitbang host 127.0.0.1",
            "remote_bitbang port \(probe.port)", "gdb_port disabled", "tcl_port disabled",
            "telnet_port disabled", "set serial {probe}",
            "jtag newtap chip cpu -irlen 4 -expected-id 0x4ba00477",
            "dap create chip.dap -chain-position chip.cpu",
            "target create chip.cpu cortex_m -dap chip.dap -ap-num 0",
            "init", "mdw {address} {words}", "shutdown",
        ]
        let command = DeviceIDCommand(
            try CommandTemplate(["openocd"] + configuration.flatMap { ["-c", $0] }), .openOCD,
            script: [])
        let place = DeviceIDLocation(words: [0x2000_0040, 0x2000_0044, 0x2000_0054])
        let reader = CommandIDReader(
            command, location: place, values: [.probe: "p1"], timeout: .seconds(120),
            interruption: interruption)
        #expect(try reader.readDeviceID().bytes == Self.bytes + [9, 8, 7, 6])
        #expect(!ram.isHalted)
    }

    /// The same through a server's Tcl port.
    @Test(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
    func theTclPortReads() throws {
        let ram = TargetRAM()
        ram.edit { $0.replaceSubrange(0x40..<0x48, with: Self.bytes) }
        let server = try OpenOCD(ram)
        try server.connect(interruption).close()
        let place = try #require(
            DeviceIDLocation(words: [0x2000_0040, 0x2000_0044], length: 6, order: .reversed))
        let reader = OpenOCDIDReader(
            host: "127.0.0.1", port: server.tclPort, location: place,
            connectTimeout: .seconds(60), replyTimeout: .seconds(60), interruption: interruption)
        #expect(try reader.readDeviceID().bytes == Self.bytes.prefix(6).reversed())
        #expect(!ram.isHalted)
    }
}
