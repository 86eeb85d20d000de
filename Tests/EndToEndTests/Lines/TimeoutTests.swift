import Foundation
import Platforms
import Provisioning
import ProvisioningTesting
import SMP
import Testing

/// A time that the user says is the one that is waited for. Each is one that nothing in the tool uses otherwise, and
/// longer than the usual one where only the clock tells.
@Suite struct TimeoutTests {
    /// A platform whose commands take long, and a state directory.
    private struct Desk {
        let provision: Executable
        /// Arguments that name the platform.
        let platform: [String]

        init(
            _ provision: Executable, flash: String = #"["/bin/true", "{image}"]"#,
            timeouts: String = ""
        ) throws {
            self.provision = provision
            platform = try provision.platform(
                "timed", board: "testboard",
                """
                [build]
                command = ["sleep", "600"]
                image = "/bin/true"
                [flash]
                method = "command"
                command = \(flash)
                [channel]
                kind = "uart"
                [timeouts]
                \(timeouts)
                """)
        }

        func callAsFunction(_ command: String, _ timeouts: [String], _ more: String...) throws
            -> Executable.Result
        {
            try provision.run(Executable.url, arguments(command, timeouts) + more)
        }

        func arguments(_ command: String, _ timeouts: [String]) -> [String] {
            [command] + platform + timeouts.flatMap { ["--timeout", $0] }
        }

        /// With a device on its port.
        func enroll(
            _ timeouts: String..., options: [String] = [],
            device: @escaping HostileLine.Behaviour
        ) throws -> Executable.Result {
            let line = try HostileLine(device)
            defer { line.close() }
            return try provision.run(
                Executable.url, arguments("enroll", timeouts) + ["--port", line.port] + options)
        }
    }

    private static let silence: HostileLine.Behaviour = { line in while line.receive() != nil {} }

    /// Asks for silence once it was spoken to: XOFF.
    private static let busy: HostileLine.Behaviour = { line in
        while line.receive(within: 20) != nil { line.send([0x13]) }
    }

    private static func device(
        missing isMissed: @escaping @Sendable (SMPMessage) -> Bool
    ) -> HostileLine.Behaviour {
        { line in
            let device = try Victim().device()
            device.reaction = { isMissed($0) ? .miss : .obey }
            try line.obey(device)
        }
    }

    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(body) / .seconds(1)
    }

    @Test(arguments: Timeout.allCases.filter { !ModemLineTests.timeouts.contains($0) })
    func aChangedTimeIsObeyed(_ timeout: Timeout) throws {
        try Executable.withHome { provision in try check(timeout, provision) }
    }

    private func check(_ timeout: Timeout, _ provision: Executable) throws {
        switch timeout {
        case .boot: try checkBoot(provision)
        case .answer: try checkAnswer(provision)
        case .signature: try checkSignature(provision)
        case .conversation:
            try Desk(provision).enroll("conversation=1ms", device: Self.device { _ in false })
                .expectError("device-slow", status: 6, "talked for 0 s")
        case .write:
            try Desk(provision).enroll(
                "write=317ms", options: ["--flow-control", "xon-xoff"], device: Self.busy
            ).expectError("channel-unavailable", status: 5, "took 0 of", "in 317 ms")
        case .flash:
            let desk = try Desk(provision, flash: #"["/bin/sh", "-c", "sleep 600", "{image}"]"#)
            try desk("flash", ["flash=317ms"], "--firmware", "/bin/true")
                .expectError("flash-failed", status: 4, "took longer than 317 ms")
        case .build:
            try Desk(provision)("flash", ["build=317ms"])
                .expectError("build-failed", status: 3, "took longer than 317 ms")
        case .port: try checkPort(provision)
        case .rate: try checkRate(provision)
        case .connect: try checkConnect(provision)
        case .probe: try checkProbe(provision)
        case .console: try checkConsole(provision)
        case .touch, .drain: Issue.record("the modem lines' tests show it")
        }
    }

    /// No second attempt has its turn in one and a half milliseconds.
    private func checkBoot(_ provision: Executable) throws {
        try Desk(provision).enroll("boot=1ms", device: Self.silence)
            .expectError("device-silent", status: 5, "silence after 1 attempt")
    }

    private func checkAnswer(_ provision: Executable) throws {
        let device = Self.device { $0.isWrite(DeviceContract.Command.credential) }
        let seconds = try Self.seconds {
            try Desk(provision).enroll("answer=3s", device: device)
                .expectError("device-silent", status: 5)
        }
        // Nearly four times as long, for what may be lost on the way.
        #expect(seconds >= 11)
    }

    /// Of silence, a device at work is not suspected before 37 s are over.
    private func checkSignature(_ provision: Executable) throws {
        let device = Self.device { $0.isRead(DeviceContract.Command.evidence) }
        let seconds = try Self.seconds {
            let result = try Desk(provision).enroll("signature=1ms", device: device)
            // Its log may come late, and is no answer.
            #expect(["device-silent", "no-answer"].contains(result.errorCode))
        }
        #expect(seconds < 30)
    }

    /// The board's port leaves while it is flashed, and nothing comes.
    private func checkPort(_ provision: Executable) throws {
        let link = provision.home.path + "/port"
        let desk = try Desk(
            provision, flash: #"["/bin/sh", "-c", "rm $0", "{port}", "{image}"]"#,
            timeouts: "boot-ms = 1")
        let line = try HostileLine(Self.silence)
        defer { line.close() }
        #expect(symlink(line.port, link) == 0)
        let seconds = try Self.seconds {
            try desk(
                "run", ["port=3s"], "--firmware", "/bin/true", "--port", link, "--detach"
            ).expectError("channel-unavailable", status: 5, link)
        }
        #expect(seconds >= 3)
    }

    private func checkRate(_ provision: Executable) throws {
        let seconds = try Self.seconds {
            try Desk(provision).enroll(
                "rate=2s", "boot=1ms", options: ["--baud", "9600,57600"], device: Self.silence
            ).expectError("device-silent", status: 5, "9600, 57600")
        }
        #expect(seconds >= 4)
    }

    /// What an adapter does for its board, and its start, which is never given less than ten seconds: from a file,
    /// and where the adapter describes the platform itself.
    private func checkConnect(_ provision: Executable) throws {
        let text = """
            name = "hostile"
            description = "a board that takes its time"
            board = "hostile"
            adapter = { name = "hostile" }
            """
        for (request, given, used) in [("open", "317ms", "317 ms"), ("hello", "11s", "11 s")] {
            let place = try HostileAdapter("silent", at: request, "", 0, "time.sleep(600)")
                .install(in: provision.home)
            for isDescribed in [true, false] {
                let file = place.appending(path: "hostile.toml")
                try? FileManager.default.removeItem(at: file)
                if isDescribed { try Data(text.utf8).write(to: file) }
                try provision(
                    in: .searching(place),
                    ["enroll", "--platform", "hostile", "--timeout", "connect=\(given)"]
                        + (isDescribed ? ["--platforms", place.path] : [])
                ).expectError("adapter-silent", status: 5, "\"\(request)\" in \(used)")
            }
        }
    }

    /// A debug server that says nothing.
    private func checkProbe(_ provision: Executable) throws {
        let path = provision.home.path + "/probe"
        let server = try SilentServer(at: path)
        defer { server.close() }
        let seconds = try Self.seconds {
            try provision(
                "enroll", "--platform", "microbit-qemu", "--port", "/dev/null", "--probe",
                "unix:" + path, "--timeout", "probe=7s"
            ).expectError("probe-unavailable", status: 5, path)
        }
        #expect(seconds >= 7)
    }

    private func checkConsole(_ provision: Executable) throws {
        let desk = try Desk(provision)
        let line = try HostileLine { line in
            while line.receive(within: 20) != nil { line.send(Array("tick\n".utf8) + [0x13]) }
        }
        defer { line.close() }
        let terminal = try TerminalRun(
            provision, Executable.url.path,
            desk.arguments("attach", ["console=317ms"])
                + ["--port", line.port, "--flow-control", "xon-xoff"])
        defer { terminal.close() }
        try #require(terminal.shows("tick"), "\(terminal.output)")
        terminal.type("hello")
        #expect(terminal.status() == 5, "\(terminal.output)")
        #expect(terminal.output.contains("took 0 of 5 bytes in 317 ms"), "\(terminal.output)")
    }
}

/// Lets whoever comes in, and says nothing.
private final class SilentServer {
    private let listener: Int32

    init(at path: String) throws {
        listener = try CutLine.unixSocket(path, bind)
        try #require(listen(listener, 4) == 0)
    }

    func close() { _ = Foundation.close(listener) }
}
