import Foundation
import Synchronization
import Testing

/// A board that reports its key once, at its start: whoever opens its port later has missed it.
@Suite struct ReportAtStartTests {
    /// Looks whether the port is open whenever the core is told to run behind a reset.
    private final class Starts: Sendable {
        private let port: String
        private let state = Mutex((isReset: false, heard: [Bool]()))

        init(port: String) { self.port = port }

        var heard: [Bool] { state.withLock { $0.heard } }

        func note(_ request: [UInt8]) {
            let text = String(decoding: request, as: UTF8.self)
            let isReset = text.contains("qRcmd,")
            let isStart = text.contains("$c#") || text.contains("vCont;c#")
            state.withLock { state in
                if isStart, state.isReset { state.heard.append(isPortOpen) }
                if isStart || isReset { state.isReset = isReset }
            }
        }

        /// Whoever has it open has locked it.
        private var isPortOpen: Bool {
            let descriptor = open(port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { return errno == EBUSY }
            defer { close(descriptor) }
            return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
        }
    }

    @Test(arguments: [[], ["--erase"]])
    func thePortIsOpenBeforeTheFirmwareStarts(options: [String]) throws {
        let image = try Firmware.reportingMicrobit()
        try OneWayDesk.with { desk in
            let board = try EmulatedBoard(desk.provision, "microbit-qemu")
            defer { _ = board.interrupt() }
            let server = try #require(board.probe).dropFirst("unix:".count)
            let starts = Starts(port: board.port)
            let probe = desk.provision.home.path + "/probe"
            for isNew in [true, options == ["--erase"]] {
                let line = try CutLine.probe(at: probe, to: String(server), after: .max) {
                    starts.note($0)
                }
                defer {
                    line.end()
                    unlink(probe)
                }
                let report = try desk.json(
                    [
                        "run", "--platform", "microbit-qemu", "--firmware", image, "--log",
                        "channel", "--detach", "--port", board.port, "--probe", "unix:" + probe,
                    ] + options)
                #expect(report["isIDReadByProbe"] as? Bool == true)
                #expect(report["isPossessionProven"] as? Bool == true)
                #expect(report["isNewKey"] as? Bool == isNew)
            }
            #expect(starts.heard == [true, true])
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }

    /// The firmware as a process, which looks itself whether somebody listens. Nobody reads how far the run is:
    /// whoever tells that before listening comes too late.
    @Test func aProcessIsListenedToFromItsStart() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            // The first run has more to tell.
            _ = try desk.provision.provisionNative()
            let home = desk.provision.home.path
            // The instance's lock says where its port is.
            let script = """
                port=$(sed -n 's/.*\\(\\/dev\\/pts\\/[0-9]*\\).*/\\1/p' "\(home)/emulated/looking-1/lock")
                flock -n "$port" true; echo "$port $?" > "\(home)/heard"
                PROVISION_NATIVE_REPORT=1 exec "$1"
                """
            let arguments = try desk.started(
                "looking", by: "[\"/bin/sh\", \"-c\", '''\(script)''', \"sh\", \"{image}\"]")
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                desk.provision, ["run", "--firmware", image, "--json"] + arguments,
                errorOutput: pipe.input)
            #expect(run.wait() == 0)
            #expect(try run.json()["isNewKey"] as? Bool == true)
            let heard = try String(contentsOfFile: home + "/heard", encoding: .utf8)
            #expect(heard.hasPrefix("/dev/pts/") && heard.hasSuffix(" 1\n"), "\(heard)")
        }
    }
}
