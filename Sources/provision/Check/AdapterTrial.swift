import Channels
import Foundation
import PlatformAdapter
import Platforms
import Provisioning
import ProvisioningTesting

/// The checks of an adapter's messages.
struct AdapterTrial {
    let program: AdapterProgram
    /// Nil: the adapter describes it.
    let platform: Platform?
    let interruption: Interruption

    func run(_ check: AdapterCheck) throws -> String {
        switch check {
        case .saysHello: return try hello()
        case .refusesVersions: try refuseVersions()
        case .answersUnknown: try answerUnknown()
        case .refusesTruncated: try refuseTruncated()
        case .refusesOversized: try refuseOversized()
        case .refusesRepeats: try refuseRepeats()
        case .understandsPieces: try understandPieces()
        case .refusesLateWrites: try refuseLateWrites()
        case .endsAfterBye: try endAfterBye()
        case .endsWithItsHost: return try endWithHost()
        case .flashes: return try flash(erasing: false)
        case .erases: return try flash(erasing: true)
        case .noticesUnplugged: return try unplugWhileFlashing()
        case .noticesMissing: return try missBoard()
        case .refusesMissingImages: return try missImage()
        case .identifies: return try identify()
        case .resets: try reset()
        case .provisions: return try provision()
        }
        return ""
    }

    /// Runs `body` with a fresh adapter and board, and ends both.
    func withBench<Result>(
        _ change: (inout BoardFolder.Behaviour) -> Void = { _ in },
        _ body: (AdapterBench) throws -> Result
    ) throws -> Result {
        let bench = try AdapterBench(program, interruption, change)
        defer { bench.end() }
        return try body(bench)
    }

    private func hello() throws -> String {
        try withBench { bench in
            var timeouts = AdapterSession.Timeouts()
            timeouts.start = AdapterBench.patience
            let session = AdapterSession(
                bench.process, grease: AdapterGrease(.always), timeouts: timeouts)
            let description = try session.hello(bench.selection)
            let platform = try platform ?? Platform(description, of: program)
            let abilities = session.abilities.map(\.rawValue).sorted().joined(separator: ", ")
            return "\(platform.name), board \(platform.board), can \(abilities)"
        }
    }

    private func refuseVersions() throws {
        try withBench { bench in
            try bench.send(AdapterLine(id: 1, "hello", [.init("versions", .integers([40_000]))]))
            let answer = try bench.answer(1, to: "hello")
            try bench.expect(.version, of: answer, to: "hello with version 40000")
            try require(
                answer.versions?.contains(AdapterProtocol.version) == true,
                "the answer does not list \"versions\"")
        }
    }

    private func answerUnknown() throws {
        try withBench { bench in
            let session = try bench.greeted()
            for word in ["x-teapot", "x-\"{", "Hello", "x-" + String(repeating: "y", count: 200)] {
                try session.ask(unknown: word)
            }
        }
    }

    private func refuseTruncated() throws {
        try withBench { bench in
            try bench.hello()
            let line = AdapterLine(id: 2, "open", [.init("flashed", .flag(false))]).bytes
            for end in [1, line.count / 2, line.count - 2] {
                try bench.send(Array(line[..<end]) + [UInt8(ascii: "\n")])
                let answer = try bench.receive()
                try bench.expect(.malformed, of: answer, to: "half a line")
                try require(
                    answer.id == 0 || answer.id == 2, "half a line has the ID \(answer.id ?? 0)")
            }
            try bench.send(Array("[1]\n".utf8))
            try bench.expect(.malformed, of: bench.receive(), to: "a line that is no object")
            try bench.expectToGoOn(3)
        }
    }

    private func refuseOversized() throws {
        try withBench { bench in
            try bench.hello()
            let text = String(repeating: "A", count: AdapterProtocol.maximumLineLength + 4000)
            try bench.send(AdapterLine(id: 2, "write", [.init("data", .text(text))]))
            try bench.expect(.malformed, of: bench.receive(), to: "a line of 70 KB")
            try bench.expectToGoOn(3)
        }
    }

    private func refuseRepeats() throws {
        try withBench { bench in
            try bench.hello()
            let open = AdapterLine(id: 5, "open", [.init("flashed", .flag(false))])
            try bench.send(open)
            try require(try bench.answer(5, to: "open").ok == true, "open is refused")
            let write = AdapterLine(id: 6, "write", [.init("data", .text("QUJD"))])
            try bench.send(write)
            try require(try bench.answer(6, to: "write").ok == true, "write is refused")
            try bench.send(write)
            try bench.expect(.repeated, of: bench.answer(6, to: "a repeat"), to: "a repeat")
            try bench.send(AdapterLine(id: 3, "write", [.init("data", .text("RA=="))]))
            try bench.expect(.repeated, of: bench.answer(3, to: "a lower ID"), to: "a lower ID")
            try require(
                try Self.octets(from: bench.board, atLeast: 3) == Array("ABC".utf8),
                "the board got more than was written once")
        }
    }

    private func understandPieces() throws {
        try withBench { bench in
            try bench.hello()
            let line = AdapterLine(id: 2, "x-slow", [.init("x-text", .text("é\"\\"))]).bytes
            for byte in line {
                try bench.send([byte])
                if byte == UInt8(ascii: ":") { Thread.sleep(forTimeInterval: 0.02) }
            }
            try bench.expect(
                .unknown, of: bench.answer(2, to: "a line in pieces"), to: "a line in pieces")
            // Two lines in one piece, too.
            try bench.send(AdapterLine(id: 3, "x-one").bytes + AdapterLine(id: 4, "x-two").bytes)
            for id in [3, 4] {
                try bench.expect(
                    .unknown, of: bench.answer(id, to: "two at once"), to: "two at once")
            }
        }
    }

    private func refuseLateWrites() throws {
        try withBench { bench in
            try bench.hello()
            let data: [AdapterLine.Field] = [.init("data", .text("QUJD"))]
            try bench.send(AdapterLine(id: 2, "write", data))
            try bench.expect(.channelClosed, of: bench.answer(2, to: "write"), to: "an early write")
            try bench.send(AdapterLine(id: 3, "open", [.init("flashed", .flag(false))]))
            try require(try bench.answer(3, to: "open").ok == true, "open is refused")
            try bench.send(AdapterLine(id: 4, "close"))
            try require(try bench.answer(4, to: "close").ok == true, "close is refused")
            try bench.send(AdapterLine(id: 5, "write", data))
            try bench.expect(.channelClosed, of: bench.answer(5, to: "write"), to: "a late write")
            try require(
                try Self.octets(from: bench.board, atLeast: 0).isEmpty, "the late write got through"
            )
        }
    }

    private func endAfterBye() throws {
        try withBench { bench in
            let session = try bench.greeted()
            try session.bye()
            let ending = try Self.ending(of: bench.process)
            try require(
                ending?.isSuccess == true, "after bye it \(ending.map { "\($0)" } ?? "runs")")
        }
    }

    private func endWithHost() throws -> String {
        try withBench { bench in
            let session = try bench.greeted()
            let channel = try AdapterChannel(session, port: nil, isFlashed: false)
            defer { channel.close() }
            let start = ContinuousClock.now
            bench.process.closeInput()
            let ending = try Self.ending(of: bench.process)
            try require(ending != nil, "it still runs when its standard input has ended")
            return "in \(Int((.now - start) / .milliseconds(1))) ms"
        }
    }

    // MARK: Parts

    private static func ending(of process: AdapterProcess) throws -> ProcessEnding? {
        try process.waitForEnd(within: AdapterBench.patience)
    }

    /// What the board's firmware gets.
    static func octets(from board: BoardFolder, atLeast count: Int) throws -> [UInt8] {
        var octets: [UInt8] = []
        let end = ContinuousClock.now + .seconds(2)
        var quiet = 0
        while ContinuousClock.now < end, quiet < 10 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let length = read(board.master, &buffer, buffer.count)
            if length > 0 {
                octets += buffer[..<length]
                quiet = 0
            } else {
                if octets.count >= count { quiet += 1 }
                usleep(10_000)
            }
        }
        return octets
    }
}
