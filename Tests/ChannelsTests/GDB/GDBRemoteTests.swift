import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct GDBRemoteTests {
    private static let all = Array(UInt8.min...UInt8.max) + Array(UInt8.min...UInt8.max)

    @Test(arguments: [true, false], [1, 2, 4096])
    func readsAndWritesInPackets(_ takesBinary: Bool, _ chunk: Int) throws {
        let server = try FakeGDBServer(takesBinary: takesBinary, chunk: chunk)
        let remote = try server.connect()
        #expect(remote.packetSize == 0x100)
        try remote.writeMemory(at: 7, Self.all)
        #expect(Array(server.bytes[7..<519]) == Self.all)
        #expect(try remote.readMemory(at: 7, count: 512) == Self.all)
        #expect(try remote.readMemory(at: 7, count: 0) == [])
        for request in server.requests {
            #expect(
                GDBPacket.encoded(request.unicodeScalars.map { UInt8($0.value & 255) }).count
                    < 0x140)
        }
        remote.close()
    }

    @Test func readsWordsOneByOne() throws {
        let server = try FakeGDBServer()
        let remote = try server.connect()
        _ = try remote.readMemory(at: 0x60, count: 8, width: .word)
        #expect(server.requests.suffix(2) == ["m60,4", "m64,4"])
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.readMemory(at: 0x62, count: 4, width: .word)
        }
    }

    @Test func ignoresStopRepliesThatNobodyAskedFor() throws {
        let stop = String(decoding: GDBPacket.encoded("T02thread:01;".utf8), as: UTF8.self)
        let server = try FakeGDBServer(features: "PacketSize=1000", unasked: "+" + stop)
        let remote = try server.connect()
        #expect(remote.wasRunningOnArrival)
        #expect(try remote.readMemory(at: 0, count: 2) == [0xee, 0xee])
        let quiet = try FakeGDBServer().connect()
        #expect(!quiet.wasRunningOnArrival)
    }

    /// OpenOCD, when it was kept busy: "keep_alive() was not invoked in the 1000 ms timelimit".
    @Test func ignoresOutputThatNobodyAskedFor() throws {
        let output = GDBPacket.encoded("O6b6565705f616c697665".utf8)
        let emptyLine = GDBPacket.encoded("O".utf8)
        let server = try FakeGDBServer { request, _ in
            switch request {
            case let request where request.hasPrefix("m"):
                output + emptyLine + output + GDBPacket.encoded("01020304".utf8)
            case "D": output + GDBPacket.encoded("OK".utf8)
            default: nil
            }
        }
        let remote = try server.connect()
        #expect(try remote.readMemory(at: 0, count: 4) == [1, 2, 3, 4])
        #expect(try remote.readsWhileRunning(at: 0))
        remote.close()
        #expect(server.requests.filter { $0 == "D" }.count == 1)
        let talker = try FakeGDBServer { request, _ in
            request.hasPrefix("m") ? Array(repeatElement(output, count: 10_001).joined()) : nil
        }.connect(replyTimeout: .seconds(120))
        let error = expectError(.probeProtocol) { () throws(ProvisioningError) in
            try talker.readMemory(at: 0, count: 4)
        }
        #expect(error?.reason.contains("10000") == true)
    }

    @Test func runsHaltsAndLetsGo() throws {
        let server = try FakeGDBServer()
        let remote = try server.connect()
        try remote.resume()
        try remote.resume()
        #expect(!remote.isHalted)
        _ = try remote.readMemory(at: 0, count: 1)
        #expect(remote.isHalted)
        try remote.resume()
        remote.close()
        remote.close()
        #expect(
            server.requests.drop { $0 != "vCont?" }
                == ["vCont?", "vCont;c", "halt", "m0,1", "vCont;c", "D"])
    }

    @Test func noticesACoreThatStopsByItself() throws {
        let server = try FakeGDBServer { request, _ in
            request == "vCont;c" ? GDBPacket.encoded("T05thread:01;".utf8) : nil
        }
        let remote = try server.connect()
        try remote.resume()
        var entry = pollfd(fd: server.clientEnd, events: Int16(POLLIN), revents: 0)
        try #require(poll(&entry, 1, 20_000) == 1)
        try remote.halt()
        #expect(try remote.readMemory(at: 0, count: 1) == [0xee])
        #expect(!server.requests.contains("halt"))
    }

    @Test func letsGoAfterAnInterruption() throws {
        let interruption = try Interruption()
        let server = try FakeGDBServer()
        let remote = try server.connect(interruption: interruption)
        interruption.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try remote.readMemory(at: 0, count: 1)
        }
        remote.close()
        #expect(server.requests.last == "D")
    }

    @Test func asksForOtherFormsOfDetaching() throws {
        let server = try FakeGDBServer { request, _ in
            switch request {
            case "D": GDBPacket.encoded("E22".utf8)
            case "D;1": GDBPacket.encoded("OK".utf8)
            default: nil
            }
        }
        try server.connect().close()
        #expect(server.requests.suffix(2) == ["D", "D;1"])
    }

    @Test func collectsMonitorOutput() throws {
        let server = try FakeGDBServer { request, _ in
            guard request == "qRcmd,\("info".utf8.hexadecimal)" else { return nil }
            return ["O" + "a\n".utf8.hexadecimal, "O" + "b".utf8.hexadecimal, "OK"]
                .flatMap { GDBPacket.encoded($0.utf8) }
        }
        let remote = try server.connect()
        #expect(try remote.monitor("info") == "a\nb")
        #expect(try remote.monitor("quiet") == "")
    }

    @Test func repeatsAfterBadChecksums() throws {
        // Acknowledgements stay on: damage can be repaired.
        let server = try FakeGDBServer(features: "PacketSize=1000") { request, attempt in
            if request == "m0,1" { return Array("$ee#00".utf8) }
            if request == "-" && attempt < 3 { return Array("$ee#01".utf8) }
            return nil
        }
        let remote = try server.connect()
        // The third complaint is answered with the damaged packet again: given up.
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.readMemory(at: 0, count: 1)
        }
        #expect(server.requests.count { $0 == "-" } == GDBRemote.maximumRepeats)

        let repaired = try FakeGDBServer(features: "PacketSize=1000") { request, attempt in
            if request == "m0,1" { return Array("$ee#00".utf8) }
            return request == "-" ? GDBPacket.encoded("ee".utf8) : nil
        }
        #expect(try repaired.connect().readMemory(at: 0, count: 1) == [0xee])
    }

    @Test func sendsAgainWhenAsked() throws {
        let server = try FakeGDBServer(features: "PacketSize=1000") { request, attempt in
            request == "m0,1" && attempt < 3 ? [UInt8(ascii: "-")] : nil
        }
        #expect(try server.connect().readMemory(at: 0, count: 1) == [0xee])
        let stubborn = try FakeGDBServer(features: "PacketSize=1000") { request, _ in
            request == "m0,1" ? [UInt8(ascii: "-")] : nil
        }
        let remote = try stubborn.connect()
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.readMemory(at: 0, count: 1)
        }
    }

    @Test(arguments: [
        ("$e#65", "not hexadecimal"), ("$zzzz#e8", "not hexadecimal"), ("$ee#ca", "1 bytes, not 2"),
        ("$E14#aa", "E14"), ("$#00", "unknown"), ("$eeeeee#5e", "3 bytes, not 2"),
        ("$ee", "in time"), ("", "in time"), ("$eeee#00", "checksum"),
    ])
    func survivesBadAnswers(_ answer: String, _ reason: String) throws {
        let server = try FakeGDBServer { request, _ in
            request == "m0,2" ? Array(answer.utf8) : nil
        }
        let remote = try server.connect(
            replyTimeout: reason == "in time" ? .milliseconds(500) : .seconds(10))
        do {
            _ = try remote.readMemory(at: 0, count: 2)
            Issue.record("no error")
        } catch {
            #expect(error.reason.contains(reason), "\(error)")
            let isSilence = reason == "in time"
            #expect(error.code == (isSilence ? .probeUnavailable : .probeProtocol))
        }
    }

    @Test func boundsWhatAServerSends() throws {
        for flood in [
            "$" + String(repeating: "e", count: 70_000), String(repeating: "?", count: 10_000),
            String(repeating: "$T05#b9", count: 20_000), String(repeating: "%a#61", count: 20_000),
        ] {
            let server = try FakeGDBServer { request, _ in
                request == "m0,2" ? Array(flood.utf8) : nil
            }
            let remote = try server.connect(replyTimeout: .seconds(5))
            expectError(.probeProtocol) { () throws(ProvisioningError) in
                try remote.readMemory(at: 0, count: 2)
            }
        }
    }

    @Test(arguments: ["PacketSize=0", "PacketSize=3f", "PacketSize=x", "PacketSize="])
    func refusesAbsurdPacketSizes(_ features: String) throws {
        let server = try FakeGDBServer(features: features)
        let channel = try StreamChannel(
            descriptor: server.clientEnd, name: "fake", interruption: Interruption())
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try GDBRemote(channel: channel)
        }
    }

    @Test func cutsHugePacketSizes() throws {
        let server = try FakeGDBServer(features: "PacketSize=ffffffffffffffff")
        #expect(try server.connect().packetSize == 1 << 14)
    }

    @Test func noticesThatTheServerLeft() throws {
        let (near, far) = try socketPair()
        close(far)
        let channel = try StreamChannel(
            descriptor: near, name: "gone", interruption: Interruption())
        expectError(.probeUnavailable) { () throws(ProvisioningError) in
            try GDBRemote(channel: channel)
        }
        expectError(.probeUnavailable) { () throws(ProvisioningError) in
            try GDBRemote.connect(
                to: .unix(path: "/nowhere.sock"), interruption: Interruption())
        }
    }

    @Test func refusesAddressesThatWrap() throws {
        let remote = try FakeGDBServer().connect()
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.readMemory(at: .max, count: 2)
        }
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.writeMemory(at: .max, [1, 2])
        }
    }
}
