import BadLine
import Foundation
import Testing

/// Serial lines without the console framing, and devices that know version 1 of SMP only.
@Suite struct RawLineTests {
    /// Nothing is asked for again only because this computer is busy.
    private static let patience = ["--timeout", "boot=60s", "--timeout", "answer=60s"]

    private func enrol(_ port: String, _ provision: Executable, _ more: String...) throws
        -> Executable.Result
    {
        try provision.run(
            Executable.url,
            ["enroll", "--platform", "native", "--port", port, "--json"] + more + Self.patience)
    }

    @Test func aRawLineIsHalfAsLong() throws {
        try Executable.withHome { provision in
            let program = try DeviceProcess.program()
            var bytes: [String: Int] = [:]
            for framing in ["raw", "console"] {
                let device = try NativeDevice(
                    program, arguments: [framing],
                    in: provision.home.appending(path: "device-\(framing)"))
                defer { device.stop() }
                let result = try enrol(device.line.port, provision, "--framing", framing)
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["retries"] as? Int == 0)
                let counts = device.line.counts
                bytes[framing] = counts.toDevice.passed + counts.toHost.passed
            }
            let (raw, console) = (try #require(bytes["raw"]), try #require(bytes["console"]))
            #expect(raw * 4 < console * 3, "\(raw) bytes of \(console)")
            #expect(try provision.keys()["active"]?.count == 2)
        }
    }

    /// A line that drops, flips, doubles and delays bytes, and no checksum: a run may fail, but never with a
    /// wrong record, and another one goes on.
    @Test(arguments: Executable.sample(Array(0..<20))) func damageIsMadeGood(_ seed: Int) throws {
        try Executable.withHome { provision in
            let rates = LineFaults.Rates(each: 0.00025)
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["raw"],
                in: provision.home.appending(path: "device"), faults: rates, seed: UInt64(seed))
            defer { device.stop() }
            var result = try enrol(device.line.port, provision, "--framing", "raw", "-v")
            for _ in 0..<3 where result.status != 0 {
                result = try enrol(device.line.port, provision, "--framing", "raw", "-v")
            }
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try provision.keys()["active"]?.count == 1)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func aRawLineHasNoConsole() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["raw"],
                in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let attached = try provision(
                "attach", "--platform", "native", "--port", device.line.port, "--framing", "raw")
            attached.expectError("usage", status: 2, "native", "raw framing")
            let enrolled = try provision(
                "enroll", "--platform", "native", "--port", device.line.port, "--framing", "raw",
                "--attach")
            #expect(enrolled.status == 0, "\(enrolled.standardError)")
            #expect(enrolled.standardError.contains("no console: with the raw framing"))
        }
    }

    /// The wrong framing is a device that does not answer, and ends.
    @Test(arguments: [("raw", "console"), ("console", "raw")])
    func theWrongFraming(_ device: String, _ host: String) throws {
        try Executable.withHome { provision in
            let line = try NativeDevice(
                try DeviceProcess.program(), arguments: [device],
                in: provision.home.appending(path: "device"))
            defer { line.stop() }
            let result = try enrol(
                line.line.port, provision, "--framing", host, "--timeout", "boot=500ms")
            result.expectError("device-silent", status: 5, line.line.port)
            #expect(try provision.keys().isEmpty)
        }
    }

    @Test(arguments: [[], ["--smp-version", "1"]] as [[String]])
    func aDeviceOfVersion1(_ options: [String]) throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice(version: 1)
            defer { device.stop() }
            for _ in 0..<2 {
                let result = try provision.run(
                    Executable.url,
                    [
                        "enroll", "--platform", "native", "--port", "udp:127.0.0.1:\(device.port)",
                        "--json", "-v",
                    ] + options + Self.patience)
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["retries"] as? Int == 0)
                let isTold = result.standardError.contains("the device speaks version 1 of SMP")
                #expect(isTold == options.isEmpty)
            }
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    @Test(arguments: ["console", "raw"], [[], ["--smp-version", "1"]] as [[String]])
    func aDeviceOfVersion1OnALine(_ framing: String, _ options: [String]) throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(version: 1), arguments: [framing],
                in: provision.home.appending(path: "device"))
            defer { device.stop() }
            for isNew in [true, false] {
                let result = try provision.run(
                    Executable.url,
                    [
                        "enroll", "--platform", "native", "--port", device.line.port, "--framing",
                        framing, "--json", "-v",
                    ] + options + Self.patience)
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["retries"] as? Int == 0)
                #expect(try result.json()["isNewKey"] as? Bool == isNew)
                let isTold = result.standardError.contains("the device speaks version 1 of SMP")
                #expect(isTold == options.isEmpty)
            }
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    @Test func version2AndNothingElse() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice(version: 1)
            defer { device.stop() }
            let result = try provision(
                "enroll", "--platform", "native", "--port", "udp:127.0.0.1:\(device.port)",
                "--smp-version", "2")
            result.expectError("device-refused", status: 6, "too new")
            #expect(result.hint?.contains("--smp-version 1") == true)
        }
    }

    /// Version 1 on a device that knows both.
    @Test func version1OfBoth() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            let result = try provision(
                "enroll", "--platform", "native", "--port", "udp:127.0.0.1:\(device.port)",
                "--smp-version", "1", "--json")
            #expect(result.status == 0, "\(result.standardError)")
        }
    }

    /// Of several rates, the one that answers is named: here the first, a pseudo-terminal having none.
    @Test func theRateIsNamed() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["console"],
                in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let result = try enrol(
                device.line.port, provision, "--baud", "57600,115200", "--flow-control", "rts-cts")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                result.standardError.contains("\(device.line.port) answers at 57600 baud"),
                "\(result.standardError)")
            // Of several boards, whose rate it is.
            let fleet = try provision(
                "enroll", "--board", "native@\(device.line.port)", "--baud", "57600,115200",
                "--flow-control", "rts-cts")
            #expect(fleet.status == 0, "\(fleet.standardError)")
            #expect(
                fleet.standardError.split(separator: "\n").contains {
                    $0.hasPrefix(device.line.port)
                        && $0.hasSuffix("\(device.line.port) answers at 57600 baud")
                }, "\(fleet.standardError)")
        }
    }

    /// At the first rate, nobody understands the other.
    @Test func theSecondRateAnswers() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["console"],
                in: provision.home.appending(path: "device"), rate: 57_600)
            defer { device.stop() }
            let result = try enrol(device.line.port, provision, "--baud", "115200,57600,9600")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                result.standardError.contains("\(device.line.port) answers at 57600 baud"),
                "\(result.standardError)")
            let other = try enrol(
                device.line.port, provision, "--baud", "115200,9600", "--timeout", "boot=100ms",
                "--timeout", "rate=100ms")
            other.expectError("device-silent", status: 5, "115200, 9600 baud", device.line.port)
        }
    }

    @Test(arguments: [
        (["--timeout", "boto=1s"], "did you mean \"boot\""), (["--timeout", "boot"], "boot=20s"),
        (["--timeout", "boot=20"], "boot=20s"), (["--timeout", "boot=0ms"], "from 1ms"),
        (["--timeout", "zzzzzzz=1s"], "there are boot, answer"),
        (["--framing", "datagram"], "console or raw"), (["--smp-version", "3"], "1 or 2"),
        (["--reset", "dtr=7"], "\"dtr=7\" is no step"),
        (["--reset", "esp", "--no-reset"], "contrary"), (["--baud", "9600,9600"], "twice"),
        (["--framing", "raw", "--flow-control", "xon-xoff"], "xon-xoff is made of"),
    ])
    func wrongUsage(_ options: [String], _ expected: String) throws {
        try Executable.withHome { provision in
            let result = try provision.run(
                Executable.url, ["enroll", "--platform", "native", "--port", "/dev/null"] + options)
            #expect(result.status == 2)
            #expect(result.standardError.contains(expected), "\(result.standardError)")
        }
    }

    @Test func aPlatformTellsItsTimeouts() throws {
        try Executable.withHome { provision in
            let text = try provision("platforms", "microbit").text
            #expect(text.contains("boot"))
            let json = try provision("platforms", "microbit", "--json").json()
            let limits = try #require(json["timeouts"] as? [[String: Any]])
            let boot = try #require(limits.first { $0["name"] as? String == "boot" })
            #expect(boot["milliseconds"] as? Int == 5000)
            #expect(boot["isStandard"] as? Bool == false)
            #expect(boot["key"] as? String == "boot-ms")
            let unknown = try provision("platforms", "nothing")
            #expect(unknown.status == 2)
        }
    }
}
