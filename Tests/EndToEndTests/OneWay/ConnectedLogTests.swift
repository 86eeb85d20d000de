import Foundation
import JTAGProbe
import Provisioning
import Testing

@testable import Channels

/// Logs that come over TCP, from tools that connect and from those that listen.
@Suite struct ConnectedLogTests {
    @Test func fromAToolThatConnects() throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog()
            let port = try JTAGProbe.freePort()
            let run = try BackgroundRun(
                desk.provision,
                ["enroll", "--platform", "native", "--log", "listen::\(port)", "--attach", "-v"])
            var embed = LazyPublisher(port)
            // As it does: nothing is there yet, and nobody minds.
            for _ in 0..<1200 where !embed.isConnected {
                embed.send("an early line\n")
                usleep(50_000)
            }
            #expect(run.says("| an early line"), "\(run.errorOutput)")
            // It is started again, in the middle of a line.
            embed.send("cut o")
            embed.drop()
            embed.send(log)
            #expect(run.prints("key         "), "\(run.errorOutput)")
            #expect(run.says("| cut o\n"), "\(run.errorOutput)")
            #expect(run.says("attached to listen:localhost:\(port), read-only"))
            embed.drop()
            embed.send("a later line\n")
            #expect(run.prints("a later line"))
            #expect(run.interrupt() == 0, "\(run.errorOutput)")
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }

    /// What comes before the new firmware starts is not its own.
    @Test func fromTheStartOfTheNewFirmwareOn() throws {
        try OneWayDesk.with { desk in
            let (old, new) = (try desk.bootLog("old"), try desk.bootLog("new"))
            let port = try JTAGProbe.freePort()
            let (mark, goOn) = (
                desk.provision.home.appending(path: "flashing").path,
                desk.provision.home.appending(path: "go-on").path
            )
            let script = "touch \(mark) && until [ -e \(goOn) ]; do sleep 0.02; done"
            let run = try BackgroundRun(
                desk.provision,
                [
                    "run", "--firmware", try Firmware.native(), "--log", "listen:127.0.0.1:\(port)",
                    "--json",
                ]
                    + desk.platform(
                        "connected",
                        """
                        [flash]
                        method = "command"
                        command = ["/bin/sh", "-c", '\(script)', "tool", "{image}"]
                        reset-command = ["true"]
                        [channel]
                        kind = "uart"
                        [timeouts]
                        boot-ms = 600000
                        """))
            try #require(run.waits(for: mark), "\(run.errorOutput)")
            var embed = LazyPublisher(port)
            embed.send(old)
            #expect(embed.isConnected)
            try desk.file("go-on", "")
            // Until the board is reset, all that is said is dropped.
            for _ in 0..<1200 where run.errorOutput.contains("register") == false {
                usleep(50_000)
                if run.errorOutput.contains("flash   ") { embed.send(new) }
            }
            #expect(run.wait() == 0, "\(run.errorOutput)")
            let id = try Data(contentsOf: desk.provision.home.appending(path: "new/device-id"))
            #expect(
                try run.json()["device"] as? String
                    == id.map { String(format: "%02x", $0) }.joined(), "\(run.errorOutput)")
        }
    }

    @Test func aWaitForAToolEnds() throws {
        try OneWayDesk.with { desk in
            let port = try JTAGProbe.freePort()
            let enroll = [
                "enroll", "--platform", "native", "--log", "listen:127.0.0.1:\(port)",
            ]
            let late = try desk.run(
                enroll + ["--timeout", "boot=100ms", "--timeout", "flash=100ms"])
            late.expectError(
                "channel-unavailable", status: 5, "listen:127.0.0.1:\(port)", "200 ms")
            #expect(
                late.standardError.contains("waiting 200 ms for a connection on 127.0.0.1:\(port)"))
            // It has the port for as long as this test takes, on a machine that is busy, too.
            let holder = try BackgroundRun(
                desk.provision, enroll + ["-v", "--timeout", "boot=3600s"])
            for _ in 0..<1200 where PortHolder.find(listeningAt: port) == nil { usleep(50_000) }
            let second = try desk.run(enroll)
            second.expectError(
                "channel-busy", status: 5, "listen:127.0.0.1:\(port)",
                "(process \(holder.processID))")
            #expect(holder.interrupt() == 130, "\(holder.errorOutput)")
            #expect(try desk.provision.keys().isEmpty)
        }
    }

    /// Not whoever has the same port at another address.
    @Test func whoHasTheAddressIsNamed() throws {
        try OneWayDesk.with { desk in
            let port = try JTAGProbe.freePort()
            let found = try HostAddresses.find(
                "127.0.0.1", port, until: Deadline(within: .seconds(60)), Interruption())
            // By its number it comes first.
            let other = try ListeningPort(try #require(found.list?.pointee))
            try other.listen()
            let enroll = ["enroll", "--platform", "native", "--log", "listen:127.0.0.2:\(port)"]
            let holder = try BackgroundRun(
                desk.provision, enroll + ["--timeout", "boot=3600s"])
            #expect(holder.says("waiting "), "\(holder.errorOutput)")
            try desk.run(enroll).expectError(
                "channel-busy", status: 5, "(process \(holder.processID))")
            try desk.run(Array(enroll.dropLast()) + ["listen:127.0.0.1:\(port)"]).expectError(
                "channel-busy", status: 5, "(process \(getpid()))")
            #expect(holder.interrupt() == 130)
            #expect(other.address == [127, 0, 0, 1])
        }
    }

    /// OpenOCD's RTT server, or a bridge of a serial line: it listens.
    @Test func fromAToolThatListens() throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog()
            let server = try LogServer(log)
            let report = try desk.json([
                "enroll", "--platform", "native", "--log", "tcp:127.0.0.1:\(server.port)",
            ])
            #expect(report["isNewKey"] as? Bool == true)
            #expect(server.received.isEmpty)
            server.end()
            let gone = try desk.run([
                "enroll", "--platform", "native", "--log", "tcp:127.0.0.1:\(server.port)",
            ])
            gone.expectError("channel-unavailable", status: 5, "tcp:127.0.0.1:\(server.port)")
        }
    }

    /// Also of a line that the tool did not end.
    @Test(arguments: [[], ["--attach"]])
    func itsEndIsTheEndOfTheLog(_ options: [String]) throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog()
            let report = try #require(log.range(of: "PROVISION-EVIDENCE-1 "))
            let end = log[report.upperBound...].firstIndex { $0.isNewline } ?? log.endIndex
            let server = try LogServer(String(log[..<end]), closes: true)
            let result = try desk.run(
                ["enroll", "--platform", "native", "--log", "tcp:127.0.0.1:\(server.port)"]
                    + options)
            server.end()
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try desk.provision.keys()["active"]?.count == 1)
            #expect(options.isEmpty || result.standardError.contains("read-only"))
        }
    }

    @Test func whatIsNoAddressIsRefused() throws {
        try OneWayDesk.with { desk in
            for log in [
                "listen:", "listen:x", "listen:h:0", "listen:unix:/x", "tcp:h", "tcp:a b:1",
            ] {
                for follow in [[], ["--follow"]] {
                    let result = try desk.run(
                        ["enroll", "--platform", "native", "--log", log] + follow)
                    result.expectError("usage", status: 2, "\"\(log)\"")
                    #expect(result.hint?.contains("./\(log)") == true, "\(result.standardError)")
                }
            }
            let follows = try desk.run([
                "enroll", "--platform", "native", "--log", "listen::19021", "--follow",
            ])
            #expect(follows.status == 2)
            #expect(follows.standardError.contains("--follow is for a file"))
            // A file of such a name.
            try desk.file("listen:1", try desk.bootLog())
            let file = try desk.provision.run(
                Executable.url,
                ["enroll", "--platform", "native", "--log", "./listen:1", "--json"],
                in: desk.provision.home)
            #expect(file.status == 0, "\(file.standardError)")
        }
    }
}

/// What cargo-embed does with the `socket` of an up channel: it connects when there is something to send, drops a
/// connection that fails with what it had to send, and tries again with the next.
private struct LazyPublisher {
    private let port: UInt16
    private var stream: StreamChannel?

    init(_ port: UInt16) { self.port = port }

    var isConnected: Bool { stream != nil }

    mutating func send(_ text: String) {
        if stream == nil {
            stream = try? StreamChannel.connect(
                host: "127.0.0.1", port: port, within: .seconds(60), interruption: Interruption())
        }
        do {
            try stream?.write(Array(text.utf8), within: .seconds(60))
        } catch {
            stream = nil
        }
    }

    mutating func drop() { stream = nil }
}

/// Sends one text to whoever connects, and keeps the connection.
private final class LogServer {
    let port: UInt16
    private let log: ListeningPort
    private let hasEnded = DispatchSemaphore(value: 0)
    private let state: ServedLog

    /// What the clients sent.
    var received: [UInt8] { state.received }

    /// - Parameter closes: whether it hangs up when it has said all.
    init(_ text: String, closes: Bool = false) throws {
        port = try JTAGProbe.freePort()
        let found = try HostAddresses.find(
            "127.0.0.1", port, until: Deadline(within: .seconds(60)), Interruption())
        log = try ListeningPort(try #require(found.list?.pointee))
        try log.listen()
        state = ServedLog()
        _ = fcntl(log.descriptor, F_SETFL, 0)
        Thread.detachNewThread { [state, hasEnded, descriptor = log.descriptor] in
            while case let client = accept(descriptor, nil, nil), client >= 0 {
                _ = Array(text.utf8).withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
                var buffer = [UInt8](repeating: 0, count: 64)
                while !closes, case let count = read(client, &buffer, buffer.count), count > 0 {
                    state.add(buffer.prefix(count))
                }
                close(client)
            }
            hasEnded.signal()
        }
    }

    /// Nobody listens any more.
    func end() {
        shutdown(log.descriptor, Int32(SHUT_RDWR))
        hasEnded.wait()
    }
}

private final class ServedLog: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes: [UInt8] = []

    var received: [UInt8] { lock.withLock { bytes } }
    func add(_ more: ArraySlice<UInt8>) { lock.withLock { bytes += more } }
}
