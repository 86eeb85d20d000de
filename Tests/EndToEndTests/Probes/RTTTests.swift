import Foundation
import Testing

/// Devices that are reached through a debug probe, or through the socket of a tool that has it.
@Suite struct RTTTests {
    /// What is searched for in RAM must not be found in an image: not in flash, nor in a copy of it.
    @Test func theImageDoesNotContainTheID() throws {
        for image in [
            try Firmware.microbit(), try Firmware.mps2(), try Firmware.reportingMicrobit(),
        ] {
            let bytes = try Data(contentsOf: URL(filePath: image))
            #expect(bytes.firstRange(of: Data("SEGGER RTT".utf8)) == nil)
            #expect(bytes.firstRange(of: Data("_SEGGER_RTT".utf8)) != nil, "it has no symbol")
        }
    }

    /// Flashed by one run, found by the next ones without the image's help.
    @Test(arguments: ["microbit-qemu", "mps2-an386-qemu"])
    func findsFirmwareThatRunsAlready(platform: String) throws {
        let image = platform == "microbit-qemu" ? try Firmware.microbit() : try Firmware.mps2()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, platform)
            defer { #expect(board.interrupt() == 0) }
            let connection = [
                "--platform", platform, "--channel", "rtt", "--probe", try #require(board.probe),
            ]
            func run(_ arguments: String...) throws -> Executable.Result {
                try provision.run(Executable.url, arguments + connection)
            }
            let flash = try run("flash", "--firmware", image)
            try #require(flash.status == 0, "\(flash.standardError)")
            // The log waits in its ring for whoever comes.
            let attached = try BackgroundRun(provision, ["attach"] + connection)
            #expect(attached.says("attached to RTT channel 1 of unix:"), "\(attached.errorOutput)")
            #expect(attached.prints("boot embedded-swift/"), "\(attached.errorOutput)")
            #expect(attached.interrupt() == 0, "\(attached.errorOutput)")

            let first = try run("enroll", "--json")
            try #require(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["isIDReadByProbe"] as? Bool == true)
            let second = try run("enroll", "--json")
            try #require(second.status == 0, "\(second.standardError)")
            #expect(try second.json()["isNewKey"] as? Bool == false)
        }
    }

    /// What is typed goes through the probe: here to a frame that has the board start anew.
    @Test func whatIsTypedReachesTheDevice() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu-rtt")
            defer { #expect(board.interrupt() == 0) }
            let connection = [
                "--platform", "microbit-qemu-rtt", "--probe", try #require(board.probe),
            ]
            let flash = try provision.run(
                Executable.url, ["flash", "--firmware", image] + connection)
            try #require(flash.status == 0, "\(flash.standardError)")
            let run = try TerminalRun(
                provision, Executable.url.path, ["attach"] + connection)
            defer { run.close() }
            #expect(run.shows("boot embedded-swift/"), "\(run.output)")
            #expect(run.output.contains("leave with Ctrl-C or Ctrl-]"), "\(run.output)")
            // MCUmgr's reset: group 0, command 5.
            run.type("\u{6}\u{9}AAsKAAABAAABBaDXFw==\n")
            var boots = 0
            for _ in 0..<2400 where boots < 2 {
                usleep(50_000)
                boots = run.output.components(separatedBy: "boot embedded-swift/").count - 1
            }
            #expect(boots == 2, "\(run.output)")
            run.pressControlC()
            #expect(run.status() == 0, "\(run.output)")
        }
    }

    /// The probe is pulled out in the middle of the conversation, with the core halted or not.
    @Test func goesOnWhenTheProbeIsBack() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu-rtt")
            defer { #expect(board.interrupt() == 0) }
            let server = String(try #require(board.probe).dropFirst("unix:".count))
            let flash = try provision(
                "flash", "--platform", "microbit-qemu-rtt", "--firmware", image, "--probe",
                "unix:" + server)
            try #require(flash.status == 0, "\(flash.standardError)")
            for limit in [120, 700, 1500, 2500] {
                let path = provision.home.path + "/probe-\(limit)"
                let line = try CutLine.probe(at: path, to: server, after: limit)
                let cut = try provision(
                    "enroll", "--platform", "microbit-qemu-rtt", "--probe", "unix:" + path)
                line.end()
                cut.expectError("probe-unavailable", status: 5, path)
            }
            let whole = try provision(
                "enroll", "--platform", "microbit-qemu-rtt", "--probe", "unix:" + server, "--json")
            #expect(whole.status == 0, "\(whole.standardError)")
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// A platform of the test's own: it gives up sooner.
    @Test func firmwareWithoutRTTIsNamed() throws {
        try Executable.withHome { provision in
            let shipped = Executable.packageRoot.appending(path: "platforms/microbit-qemu-rtt.toml")
            let text = try String(contentsOf: shipped, encoding: .utf8)
                .replacing("name = \"microbit-qemu-rtt\"", with: "name = \"blank\"")
                .replacing("boot-ms = 20000", with: "boot-ms = 200")
            try Data(text.utf8)
                .write(to: provision.home.appending(path: "blank.toml"))
            let result = try provision(
                "enroll", "--platform", "blank", "--platforms", provision.home.path)
            result.expectError(
                "rtt-not-found", status: 5, "16384 bytes at 0x20000000", "200 ms")
        }
    }

    @Test func whatDoesNotFitTogetherIsRefused() throws {
        try Executable.withHome { provision in
            let none = try provision("attach", "--platform", "native", "--channel", "rtt")
            none.expectError("usage", status: 2, "native", "RTT")
            let both = try provision(
                "attach", "--platform", "microbit", "--channel", "rtt", "--port", "/dev/null")
            #expect(both.status == 2)
            #expect(both.standardError.contains("not on --port /dev/null"))
            let probe = try provision("attach", "--platform", "microbit", "--channel", "rtt")
            probe.expectError("probe-unavailable", status: 5, "none is named")
            let port = try provision("attach", "--platform", "microbit", "--port", "tcp:nowhere")
            #expect(port.status == 2)
            #expect(port.standardError.contains("tcp:nowhere"))
        }
    }

    /// OpenOCD's `rtt server`, and probe-rs' and cargo-embed's sockets: bytes, and nothing else.
    @Test func provisionsThroughAToolsSocket() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let server = try DeviceOnSocket(image, in: provision.home.appending(path: "device"))
            defer { server.stop() }
            for isNew in [true, false] {
                let result = try provision(
                    "enroll", "--platform", "native", "--port", "tcp:127.0.0.1:\(server.port)",
                    "--json")
                try #require(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["isNewKey"] as? Bool == isNew)
            }
            let port = server.port
            server.stop()
            let gone = try provision(
                "enroll", "--platform", "native", "--port", "tcp:127.0.0.1:\(port)")
            gone.expectError("channel-unavailable", status: 5, "tcp:127.0.0.1:\(port)")
        }
    }
}

/// The native firmware behind a TCP port of this computer, started anew for each connection.
private final class DeviceOnSocket {
    let port: UInt16
    private let listener: Int32
    private let hasEnded = DispatchSemaphore(value: 0)
    private var isRunning = true

    init(_ image: String, in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        (listener, port) = try LoopbackListener.make()
        Thread.detachNewThread { [hasEnded, listener] in
            Self.serve(listener, image, folder)
            hasEnded.signal()
        }
    }

    /// Idempotent.
    func stop() {
        guard isRunning else { return }
        isRunning = false
        shutdown(listener, Int32(SHUT_RDWR))
        hasEnded.wait()
        close(listener)
    }

    /// The firmware ends when its host hangs up.
    private static func serve(_ listener: Int32, _ image: String, _ folder: URL) {
        while case let connection = accept(listener, nil, nil), connection >= 0 {
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let end = FileHandle(fileDescriptor: connection, closeOnDealloc: true)
            let process = Process()
            process.executableURL = URL(filePath: image)
            process.environment = ["PROVISION_NATIVE_STATE": folder.path]
            process.standardInput = end
            process.standardOutput = end
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return }
            try? end.close()
            process.waitUntilExit()
        }
    }
}
