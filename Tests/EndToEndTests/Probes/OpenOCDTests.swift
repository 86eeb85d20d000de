import BadLine
import Foundation
import JTAGProbe
import Provisioning
import Synchronization
import Testing

@testable import Channels

/// The real OpenOCD between the tool and the device library; only the chip and its probe are a fake.
@Suite(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
struct OpenOCDTests {
    /// Through the Tcl port, the GDB server, and OpenOCD's own RTT server: each finds what the one before has
    /// left.
    @Test func provisionsThroughEachOfItsPorts() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let device = try NativeDevice(
                image, in: provision.home.appending(path: "device"), faults: LineFaults.Rates(),
                seed: 0)
            defer { device.stop() }
            let chip = try ChipOnLine(device.line.port)
            let server = try OpenOCD(chip.ram)
            let interruption = try Interruption()
            let control = OpenOCDControl(
                try server.connect(interruption), replyTimeout: .seconds(60))
            func enroll(_ arguments: String...) throws -> Executable.Result {
                try provision.run(
                    Executable.url,
                    ["enroll", "--platform", "chip", "--platforms", provision.home.path, "--json"]
                        + arguments)
            }
            try provision.platform("chip", Self.platform)

            let first = try enroll("--port", "openocd:127.0.0.1:\(server.tclPort)")
            try #require(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["isNewKey"] as? Bool == true)

            let second = try enroll("--probe", "tcp:127.0.0.1:\(server.gdbPort)")
            try #require(second.status == 0, "\(second.standardError)")
            #expect(try second.json()["isNewKey"] as? Bool == false)
            #expect(!chip.ram.isHalted)

            try control.require("rtt setup 0x20000000 8192 \"SEGGER RTT\"")
            try control.require("rtt start")
            let port = server.sparePort
            try control.require("rtt server start \(port) 0")
            let third = try enroll("--port", "tcp:127.0.0.1:\(port)")
            #expect(third.status == 0, "\(third.standardError)")
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// A block that lives, and is not the firmware's: the image that another tool has flashed settles it.
    @Test(arguments: [true, false])
    func theImageSettlesWhichBlockItIs(_ throughGDB: Bool) throws {
        let image = try Firmware.native()
        let symbols = try Firmware.microbit()
        try Executable.withHome { provision in
            let device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            defer { device.stop() }
            // The image's own place, in a RAM of 16 KiB.
            let bytes = try FirmwareImage(path: symbols).readBytes()
            let symbol = try #require(try ELFImage(bytes).symbol(named: "_SEGGER_RTT"))
            let own = RingFirmware(block: Int(symbol.address - UInt64(TargetRAM.base)))
            let chip = try ChipOnLine(
                device.line.port, firmware: own, decoy: RingFirmware(block: 0x4000))
            let server = try OpenOCD(chip.ram)
            _ = try server.connect(Interruption())
            let text = Self.platform.replacing("length = 0x2000", with: "length = 0x5000")
            try provision.platform("chip", text)
            let place =
                throughGDB
                ? ["--probe", "tcp:127.0.0.1:\(server.gdbPort)"]
                : ["--port", "openocd:127.0.0.1:\(server.tclPort)"]
            let result = try provision.run(
                Executable.url,
                [
                    "run", "--platform", "chip", "--platforms", provision.home.path, "--json",
                    "--firmware", symbols,
                ] + place)
            #expect(result.status == 0, "\(result.standardError)")
        }
    }

    /// A log of one way, through OpenOCD's own RTT server.
    @Test func theLogThroughItsRTTServer() throws {
        try OneWayDesk.with { desk in
            let log = Array(try desk.bootLog().utf8)
            let firmware = RingFirmware()
            let state = Mutex((rest: log[...], received: 0))
            let ram = TargetRAM { ram in
                state.withLock { state in
                    if state.rest.isEmpty { state.rest = log[...] }
                    state.rest = state.rest.dropFirst(firmware.send(state.rest, &ram))
                    state.received += firmware.received(&ram).count
                }
            }
            ram.edit { firmware.start(&$0) }
            let server = try OpenOCD(ram)
            let control = OpenOCDControl(
                try server.connect(Interruption()), replyTimeout: .seconds(60))
            try control.require("rtt setup 0x20000000 8192 \"SEGGER RTT\"")
            try control.require("rtt start")
            try control.require("rtt server start \(server.sparePort) 0")
            let address = "tcp:127.0.0.1:\(server.sparePort)"
            let times = ["--timeout", "boot=60s"]
            let first = try desk.json(
                ["enroll", "--platform", "native", "--log", address] + times)
            #expect(first["isNewKey"] as? Bool == true)
            let second = try desk.json(
                ["enroll", "--platform", "native", "--log", "channel", "--port", address] + times)
            #expect(second["isNewKey"] as? Bool == false)
            #expect(state.withLock { $0.received } == 0)
        }
    }

    /// The line's faults are not the probe's: what they cost is repeated.
    @Test func provisionsOverABadLine() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            try provision.platform("chip", Self.platform)
            _ = try provision("authority", "show")
            let seeds = Executable.sample(Array(0..<20))
            let retries = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: seeds.count) { index in
                do {
                    let seed = seeds[index]
                    let device = try NativeDevice(
                        image, in: provision.home.appending(path: "device-\(seed)"),
                        faults: LineFaults.Rates(each: 0.0003), seed: UInt64(seed))
                    defer { device.stop() }
                    let chip = try ChipOnLine(device.line.port)
                    let server = try OpenOCD(chip.ram)
                    _ = try server.connect(Interruption())
                    // Half of them through its GDB server.
                    let place =
                        seed % 2 == 0
                        ? ["--port", "openocd:127.0.0.1:\(server.tclPort)"]
                        : ["--probe", "tcp:127.0.0.1:\(server.gdbPort)"]
                    let result = try provision.run(
                        Executable.url,
                        [
                            "enroll", "--platform", "chip", "--platforms", provision.home.path,
                            "--json",
                        ] + place)
                    #expect(result.status == 0, "seed \(seed): \(result.standardError)")
                    let count = try result.json()["retries"] as? Int ?? 0
                    retries.withLock { $0 += count }
                } catch {
                    Issue.record(error, "seed \(seeds[index])")
                }
            }
            #expect(retries.withLock { $0 } > 0)
            let keys = try provision("keys", "--json").json()["keys"] as? [[String: Any]]
            #expect(keys?.count == seeds.count)
            #expect(keys?.allSatisfy { $0["state"] as? String == "active" } == true)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func namesWhatIsWrong() throws {
        try Executable.withHome { provision in
            let blank = try OpenOCD(TargetRAM())
            _ = try blank.connect(Interruption())
            let text = Self.platform.replacing("boot-ms = 20000", with: "boot-ms = 200")
            try provision.platform("chip", text)
            func enroll(_ port: String, _ platform: String = "chip") throws -> Executable.Result {
                try provision(
                    "enroll", "--platform", platform, "--platforms", provision.home.path,
                    "--port", port)
            }
            try enroll("openocd:127.0.0.1:\(blank.tclPort)")
                .expectError("rtt-not-found", status: 5, "8192 bytes at 0x20000000")
            try enroll("openocd:127.0.0.1:\(blank.tclPort)", "native")
                .expectError("usage", status: 2, "native", "RTT")
            try enroll("openocd:127.0.0.1:1")
                .expectError("probe-unavailable", status: 5, "127.0.0.1:1")
            for port in ["openocd:", "openocd:a b", "openocd:[::1", "openocd:host:0"] {
                try enroll(port).expectError("usage", status: 2, port)
            }
        }
    }

    private static let platform = """
        [flash]
        method = "command"
        command = ["true", "{image}"]

        [channel]
        kind = "rtt"
        rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }

        [timeouts]
        boot-ms = 20000
        """
}
