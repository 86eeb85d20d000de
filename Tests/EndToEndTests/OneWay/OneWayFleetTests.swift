import Channels
import Foundation
import Synchronization
import Testing

/// Boards that only print a line with their key, side by side.
@Suite struct OneWayFleetTests {
    private func entries(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try result.json()["boards"] as? [[String: Any]])
    }

    /// Those that this run starts: each is registered by what it said, and one that says nothing stops none.
    @Test func allOfAPlatform() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let platform = try desk.reporting()
            _ = try desk.started(
                "mute", by: #"["/bin/sh", "-c", "echo hello; exit 3", "{image}"]"#)
            let run =
                ["run", "--all", "--instances", "5", "--board", "mute:mute", "--firmware", image]
                + platform
            for isNew in [true, false] {
                let result = try desk.run(run + ["--json"])
                #expect(result.status != 0 && result.errorCode != nil, "\(result.standardError)")
                #expect(try result.json()["succeeded"] as? Int == 5, "\(result.standardError)")
                let boards = try entries(result)
                #expect(boards.count == 6)
                for board in boards {
                    let name = try #require(board["name"] as? String)
                    guard name != "mute" else {
                        let error = board["error"] as? [String: Any]
                        #expect(error?["reason"] is String && board["record"] == nil)
                        continue
                    }
                    let record = try #require(board["record"] as? [String: Any], "\(board)")
                    let folder = "emulated/\(name)/device/device-id"
                    let id = try Data(contentsOf: desk.provision.home.appending(path: folder))
                    #expect(
                        record["device"] as? String
                            == id.map { String(format: "%02x", $0) }.joined(), "\(name)")
                    #expect(record["report"] as? String == "provision")
                    #expect(record["isPossessionProven"] as? Bool == true)
                    #expect(record["isNewKey"] as? Bool == isNew)
                    #expect((record["credentials"] as? [Any])?.isEmpty == true)
                }
                let devices = boards.compactMap { ($0["record"] as? [String: Any])?["device"] }
                #expect(Set(devices.compactMap { $0 as? String }).count == 5)
                #expect(try desk.provision.keys()["active"]?.count == 5)
            }
            #expect(try desk.provision("registry", "verify").status == 0)
            #expect(Leftovers(of: desk.provision).processes() == [])
        }
    }

    /// Those that run already, behind ports: what one says is no other's, and one that is missing stops none.
    @Test func boardsBehindPorts() throws {
        try OneWayDesk.with { desk in
            let platform = try desk.platform(
                "printing",
                """
                [flash]
                method = "gdb"
                [channel]
                kind = "uart"
                [report]
                formats = ["provision"]
                [timeouts]
                boot-ms = 600000
                """)
            let names = ["a", "b", "c"]
            let logs = try names.map { try desk.bootLog($0) }
            let ids = try names.map { name in
                try Data(contentsOf: desk.provision.home.appending(path: "\(name)/device-id"))
                    .map { String(format: "%02x", $0) }.joined()
            }
            let ports = try logs.map(PrintingPort.init)
            defer { for port in ports { port.close() } }
            let missing = "/dev/ttyNONE7"
            let boards = (ports.map(\.path) + [missing]).flatMap { ["--board", "printing@\($0)"] }
            let result = try desk.run(
                ["enroll", "--json", "--timeout", "port=1s"] + platform.suffix(2) + boards)
            #expect(result.errorCode != nil, "\(result.standardError)")
            let entries = try entries(result)
            let devices = entries.map { ($0["record"] as? [String: Any])?["device"] as? String }
            #expect(devices == ids + [nil], "\(result.standardError)")
            let codes = entries.map { ($0["error"] as? [String: Any])?["code"] as? String }
            #expect(codes == [nil, nil, nil, "channel-unavailable"])
            #expect(try desk.provision.keys()["active"]?.count == 3)
            #expect(try desk.provision("registry", "verify").status == 0)
        }
    }
}

/// A port whose board prints the same again and again: opening it discards what was on its way.
private final class PrintingPort: Sendable {
    var path: String { terminal.path }
    private let terminal: PseudoTerminal
    private let isStopped = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ text: String) throws {
        terminal = try PseudoTerminal()
        _ = fcntl(terminal.master, F_SETFL, O_NONBLOCK)
        let octets = Array(text.utf8)
        Thread.detachNewThread { [self] in
            while !isStopped.withLock({ $0 }) {
                var rest = octets[...]
                while !rest.isEmpty, !isStopped.withLock({ $0 }) {
                    let count = rest.withUnsafeBytes {
                        write(terminal.master, $0.baseAddress, $0.count)
                    }
                    if count > 0 { rest = rest.dropFirst(count) } else { usleep(5000) }
                }
                usleep(5000)
            }
            hasEnded.signal()
        }
    }

    func close() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
        terminal.close()
    }
}
