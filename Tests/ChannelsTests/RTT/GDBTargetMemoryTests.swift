import Foundation
import Provisioning
import Testing

@testable import Channels

/// Servers that read memory while the core runs, and those that don't.
@Suite struct GDBTargetMemoryTests {
    /// A control block at 0x100 in the server's 4 KiB from 0, and a ring with bytes in it.
    private static let block: [UInt8] =
        Array("SEGGER RTT\0\0\0\0\0\0".utf8)
        + [1, 1, 0, 0x800, 64, 5, 0, 0, 0, 0x840, 16, 0, 0, 0].enumerated().flatMap { index, word in
            [UInt8(word & 255), UInt8(word >> 8), 0, 0]
        }

    private func open(_ server: FakeGDBServer) throws -> (GDBRemote, GDBTargetMemory) {
        let remote = try server.connect(replyTimeout: .seconds(20))
        try remote.writeMemory(at: 0x100, Self.block)
        try remote.writeMemory(at: 0x800, Array("hello".utf8))
        return (remote, try GDBTargetMemory(remote, trying: 0x100))
    }

    private func channel(_ memory: GDBTargetMemory) throws -> RTTChannel {
        let region = try #require(AddressRange(address: 0, length: 4096))
        let settings = RTTSettings(memory: [region])
        return try RTTChannel(
            memory, settings, locator: RTTLocator(settings), within: .seconds(20),
            interruption: Interruption())
    }

    private func converse(_ server: FakeGDBServer, _ memory: GDBTargetMemory) throws {
        let channel = try channel(memory)
        #expect(try channel.read(atMost: 99, within: .seconds(20)) == Array("hello".utf8))
        #expect(try channel.read(atMost: 99, within: .milliseconds(5)).isEmpty)
        try channel.write(Array("hi".utf8), within: .seconds(20))
        #expect(Array(server.bytes[0x840..<0x842]) == Array("hi".utf8))
        #expect(server.bytes[0x100 + 24 + 24 + 12] == 2)
    }

    @Test func aCoreThatNeedNotStopIsNotStopped() throws {
        let server = try FakeGDBServer()
        let (remote, memory) = try open(server)
        #expect(!memory.haltsCore)
        try converse(server, memory)
        #expect(!remote.isHalted)
        #expect(!server.requests.contains("halt"))
        #expect(server.requests.count { $0 == "vCont;c" } == 1)
    }

    @Test(arguments: ["stops", "says nothing", "refuses", "stops and answers"])
    func otherCoresAreHaltedForEachLook(_ kind: String) throws {
        let stop = GDBPacket.encoded("T02thread:01;".utf8)
        let server = try FakeGDBServer(stopsWhenSpokenTo: kind == "stops") { request, attempt in
            guard request == "m100,4", attempt == 1 else { return nil }
            switch kind {
            case "says nothing": return []
            case "refuses": return GDBPacket.encoded("E01".utf8)
            case "stops and answers": return stop + GDBPacket.encoded("00000000".utf8)
            default: return nil
            }
        }
        let (remote, memory) = try open(server)
        #expect(memory.haltsCore)
        #expect(!remote.isHalted)
        try converse(server, memory)
        #expect(!remote.isHalted)
        let requests = server.requests
        #expect(requests.count { $0 == "halt" } > 3)
        // Never without: whoever reads a ring of a running core has halted it before.
        var isRunning = false
        for request in requests.drop(while: { $0 != "m100,4" }).dropFirst() {
            if request == "halt" { isRunning = false }
            if request == "vCont;c" { isRunning = true }
            if isRunning { #expect(request == "vCont;c") }
        }
    }

    /// Slow to answer is not deaf: as long as the probe's time-out lets hope, or what came before.
    @Test(arguments: [(Duration.seconds(20), 0.0, 1.0), (.seconds(5), 0.25, 0.75)])
    func aSlowServerIsNotMisjudged(
        _ replyTimeout: Duration, _ agreeing: Double, _ reading: Double
    ) throws {
        let server = try FakeGDBServer { request, _ in
            if request == "m100,4" {
                Thread.sleep(forTimeInterval: reading)
            } else if request.hasPrefix("q") || request.hasPrefix("Q") || request == "vCont?" {
                Thread.sleep(forTimeInterval: agreeing)
            }
            return nil
        }
        let remote = try server.connect(replyTimeout: replyTimeout)
        #expect(try !GDBTargetMemory(remote, trying: 0x100).haltsCore)
        #expect(!server.requests.contains("halt"))
    }

    /// No wait is longer than the probe's time-out.
    @Test func aSilentServerIsNotWaitedForLonger() throws {
        let server = try FakeGDBServer { request, _ in request == "m100,4" ? [] : nil }
        let remote = try server.connect(replyTimeout: .milliseconds(100))
        #expect(remote.patience == .milliseconds(100))
        #expect(try server.requests.isEmpty || GDBTargetMemory(remote, trying: 0x100).haltsCore)
    }

    private static let acknowledging = "PacketSize=100"
    private static let silent = "PacketSize=100;QStartNoAckMode+"

    private func isWriteOfTheWord(_ request: String) -> Bool {
        request == "M200,4:04030201" || request.hasPrefix("X200,4:")
    }

    /// The offset and what has the core go on are one message. A server that refuses the offset, or says something
    /// else before, has let the core go on all the same.
    @Test(
        arguments: ["says OK", "refuses", "stops twice", "is damaged"],
        [Self.acknowledging, Self.silent])
    func theLastWordAndTheResumeAreOneMessage(_ kind: String, _ features: String) throws {
        let stop = GDBPacket.encoded("T02thread:01;".utf8)
        let server = try FakeGDBServer(features: features, stopsWhenSpokenTo: true) { request, _ in
            guard isWriteOfTheWord(request) else { return nil }
            switch kind {
            case "refuses": return GDBPacket.encoded("E01".utf8)
            case "stops twice": return stop + GDBPacket.encoded("OK".utf8)
            case "is damaged": return Array("$OK#00".utf8)
            default: return nil
            }
        }
        let remote = try server.connect(replyTimeout: .seconds(20))
        let memory = try GDBTargetMemory(remote, trying: 0x100)
        try memory.beginTransfer()
        let isFine = kind == "says OK" || kind == "stops twice"
        do {
            try memory.endTransfer(writing: 0x0102_0304, at: 0x200)
            #expect(isFine)
        } catch {
            #expect(!isFine && error.code == .probeProtocol, "\(error)")
        }
        #expect(!remote.isHalted)
        try memory.beginTransfer()
        #expect(try memory.read(at: 0x100, count: 1).count == 1)
        // Nothing was said in between, also not of what was damaged: any byte halts.
        let rest = server.requests.drop { !isWriteOfTheWord($0) }
        #expect(rest.dropFirst().elementsEqual(["vCont;c", "halt", "m100,1"]))
        guard kind == "says OK" || kind == "refuses" else { return }
        // Each packet is acknowledged once: the client begins with one, and two are sent before they agree not to.
        let deadline = Deadline(within: .seconds(20))
        let isSilent = features == Self.silent
        func isComplete(_ traffic: (packets: Int, acknowledged: Int)) -> Bool {
            traffic.acknowledged == 1 + (isSilent ? 2 : traffic.packets)
        }
        while !isComplete(server.traffic), !deadline.isPast { sched_yield() }
        #expect(isComplete(server.traffic), "\(server.traffic)")
    }

    /// The answer that was not awaited is none to the request that lets go of the core.
    @Test func aLateAnswerIsNoAnswerToTheNextRequest() throws {
        let isTooLate = DispatchSemaphore(value: 0)
        let server = try FakeGDBServer(
            features: Self.acknowledging, stopsWhenSpokenTo: true
        ) { request, _ in
            if isWriteOfTheWord(request) { isTooLate.wait() }
            return nil
        }
        let remote = try server.connect(replyTimeout: .seconds(1))
        let memory = try GDBTargetMemory(remote, trying: 0x100)
        try memory.beginTransfer()
        do {
            try memory.endTransfer(writing: 0x0102_0304, at: 0x200)
            Issue.record("an answer too soon")
        } catch {
            #expect(error.code == .probeUnavailable, "\(error)")
        }
        isTooLate.signal()
        remote.close()
        // The server reads on a thread of its own.
        let deadline = Deadline(within: .seconds(60))
        while server.requests.last != "D", !deadline.isPast { usleep(1000) }
        #expect(server.requests.suffix(3) == ["vCont;c", "halt", "D"])
    }

    /// Flashing over the same connection halts as ever.
    @Test func whatIsOpenedForRTTEndsWithIt() throws {
        let server = try FakeGDBServer()
        let remote = try server.connect()
        var memory: GDBTargetMemory? = try GDBTargetMemory(remote, trying: 0)
        #expect(memory?.haltsCore == false)
        memory = nil
        _ = try remote.readMemory(at: 0, count: 4)
        #expect(remote.isHalted)
    }

    @Test func aServerThatLeavesIsTold() throws {
        let (near, far) = try socketPair()
        let server = Thread {
            // Whatever it is asked: unknown. Then it is gone.
            var buffer = [UInt8](repeating: 0, count: 4096)
            for _ in 0..<3 where Glibc.read(far, &buffer, buffer.count) > 0 {
                _ = Glibc.write(far, "+$#00", 5)
            }
            Glibc.close(far)
        }
        server.start()
        let stream = try StreamChannel(
            descriptor: near, name: "leaving", interruption: Interruption())
        do {
            let remote = try GDBRemote(channel: stream, replyTimeout: .seconds(20))
            let memory = try GDBTargetMemory(remote, trying: 0)
            _ = try channel(memory)
            Issue.record("a channel through nothing")
        } catch let error as ProvisioningError {
            #expect(error.code == .probeUnavailable, "\(error)")
        }
    }
}
