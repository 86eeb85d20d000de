import Foundation
import Testing

/// A board that is named, and plugged in only after the command was given.
@Suite struct LatePortTests {
    @Test func aNamedPortIsWaitedFor() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let port = provision.home.appending(path: "ttyACM1")
            let run = try BackgroundRun(
                provision,
                [
                    "enroll", "--platform", "native", "--port", port.path, "--json",
                    "--timeout", "port=10min",
                ])
            #expect(run.says("waiting 600 s for \(port.path) to be plugged in"))
            let device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            defer { device.stop() }
            try FileManager.default.createSymbolicLink(
                at: port, withDestinationURL: URL(filePath: device.line.port))
            #expect(run.wait() == 0, "\(run.errorOutput)")
            let key = try #require(try run.json()["thumbprint"] as? String)
            #expect(try provision.keys() == ["active": [key]])
        }
    }

    /// By the option, and by the platform's key.
    @Test func theWaitHasAnEnd() throws {
        try Executable.withHome { provision in
            let late = try provision.platform(
                "late",
                """
                [flash]
                method = "gdb"
                [channel]
                kind = "uart"
                [timeouts]
                port-ms = 300
                """)
            let port = provision.home.path + "/ttyACM1"
            for (options, time) in [([], "300 ms"), (["--timeout", "port=200ms"], "200 ms")] {
                let result = try provision.run(
                    Executable.url, ["enroll", "--port", port] + late + options)
                result.expectError(
                    "channel-unavailable", status: 5, "there is no port \(port)")
                #expect(result.standardError.contains("waiting \(time) for \(port)"))
            }
            #expect(try provision.keys().isEmpty)
        }
    }

    /// What is named by its serial number alone, which also tells the platform.
    @Test func aNamedSerialNumberIsWaitedFor() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "enroll", "--usb-serial", "no-such-board", "--timeout", "port=200ms")
            result.expectError("board-unknown", status: 5, "no-such-board")
            #expect(
                result.standardError.contains(
                    "waiting 200 ms for a USB device with the serial number no-such-board"))
        }
    }

    /// Also by a path that begins where the command is given, by `--board`, and by a check.
    @Test(arguments: [
        ["enroll", "--platform", "native", "--port", "RELATIVE"],
        ["enroll", "--board", "native@PORT", "--board", "native@PORT2"],
        ["check", "native", "--device", "--port", "PORT", "--record", "PORT.transcript"],
    ])
    func everyNamedPortIsWaitedFor(arguments: [String]) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let port = provision.home.path + "/ttyACM1"
            let root = Executable.packageRoot.resolvingSymlinksInPath().pathComponents.dropFirst()
            let relative = root.map { _ in "../" }.joined() + port.dropFirst()
            let names = [port] + (arguments.contains("native@PORT2") ? [port + "2"] : [])
            let run = try BackgroundRun(
                provision,
                arguments.map {
                    $0.replacingOccurrences(of: "PORT", with: port)
                        .replacingOccurrences(of: "RELATIVE", with: relative)
                } + ["--timeout", "port=10min"])
            #expect(run.says("waiting 600 s for"), "\(run.errorOutput)")
            // In whichever order.
            let devices = try names.reversed().map { name in
                let device = try NativeDevice(image, in: URL(filePath: name + "-device"))
                try FileManager.default.createSymbolicLink(
                    atPath: name, withDestinationPath: device.line.port)
                return device
            }
            defer { for device in devices { device.stop() } }
            #expect(run.wait() == 0, "\(run.errorOutput)")
        }
    }

    @Test func severalAreWaitedForAtOnce() throws {
        try Executable.withHome { provision in
            let names = (1...20).map { "native@\(provision.home.path)/ttyACM\($0)" }
            let start = ContinuousClock.now
            let result = try provision.run(
                Executable.url,
                ["enroll", "--timeout", "port=6s"] + names.flatMap { ["--board", $0] })
            result.expectError("channel-unavailable", status: 5, names[0].dropFirst(7).description)
            #expect(ContinuousClock.now - start < .seconds(100))
        }
    }

    /// What is done to no board waits for none.
    @Test func aPreviewDoesNotWait() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--dry-run", "--usb-serial", "no-such-board", "--firmware", image,
                "--timeout", "port=10min")
            result.expectError("board-unknown", status: 5, "no-such-board")
            #expect(!result.standardError.contains("waiting"))
        }
    }

    /// A name in no folder of devices is mistyped: nothing comes there.
    @Test(arguments: ["ttyACM1", "/dev/null/ttyACM1"])
    func whatCantComeIsNotWaitedFor(port: String) throws {
        try Executable.withHome { provision in
            let result = try provision(
                "enroll", "--platform", "native", "--port", port, "--timeout", "port=10min")
            result.expectError("channel-unavailable", status: 5, port)
            #expect(!result.standardError.contains("waiting"))
        }
    }

    @Test func theWaitIsInterrupted() throws {
        try Executable.withHome { provision in
            let run = try BackgroundRun(
                provision,
                [
                    "enroll", "--platform", "native", "--port", provision.home.path + "/ttyACM1",
                    "--timeout", "port=10min",
                ])
            #expect(run.says("waiting 600 s"))
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
        }
    }
}
