import Foundation
import Provisioning

/// One check of one channel.
struct ChannelTrial {
    let check: ChannelCheck
    let subject: ChannelUnderTest
    /// Until something that must happen is said not to happen.
    let patience: Duration

    private var channel: any Channel { subject.channel }
    private var farEnd: any ChannelFarEnd { subject.farEnd }

    /// All values, in an order that shows gaps and repeats of any length.
    static let sample = (0..<16_384).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 &* 37) }

    func run() throws {
        switch check {
        case .deliversEveryByteInOrder: try deliver()
        case .sendsEveryByteInOrder: try send()
        case .carriesBothDirectionsAtOnce: try echo()
        case .readsWhatThereIs: try readWhatThereIs()
        case .keepsWhatIsBeyondTheLimit: try readWithLimit()
        case .readsNothingInTime: try readNothing()
        case .losesNothingToTimeouts: try readWithTimeouts()
        case .endsWritesInTime: try overfill()
        case .noticesTheEnd: try noticeTheEnd()
        case .closesForGood: try close()
        case .endsWhenInterrupted: try interrupt()
        case .hasAName: try name()
        }
    }

    // MARK: Checks

    private func deliver() throws {
        let sending = BackgroundWork(patience) { [farEnd] in
            for piece in Self.pieces { try farEnd.send(piece) }
        }
        try compare(try read(Self.sample.count), with: Self.sample)
        try sending.finish()
    }

    private func send() throws {
        let receiving = BackgroundWork(patience) { [farEnd, patience] in
            try Self.receive(Self.sample.count, from: farEnd, patience)
        }
        for piece in Self.pieces { try channel.write(piece, within: patience) }
        try compare(try receiving.finish(), with: Self.sample)
    }

    private func echo() throws {
        let echoing = BackgroundWork(patience) { [farEnd, patience] in
            var count = 0
            while count < Self.sample.count {
                let bytes = try farEnd.receive(atMost: 512, within: patience)
                guard !bytes.isEmpty else { return }
                try farEnd.send(bytes)
                count += bytes.count
            }
        }
        var echoed: [UInt8] = []
        for piece in Self.pieces {
            try channel.write(piece, within: patience)
            echoed += try channel.read(atMost: 4096, within: .zero)
        }
        echoed += try read(Self.sample.count - echoed.count)
        try echoing.finish()
        try compare(echoed, with: Self.sample)
    }

    private func readWhatThereIs() throws {
        let sending = BackgroundWork(patience) { [farEnd] in try farEnd.send([1, 2, 3, 4, 5]) }
        let start = ContinuousClock.now
        var bytes: [UInt8] = []
        while bytes.count < 5 {
            let part = try channel.read(atMost: 4096, within: patience * 10)
            try require(!part.isEmpty, "it returned nothing before its time-out")
            bytes += part
        }
        try sending.finish()
        try compare(bytes, with: [1, 2, 3, 4, 5])
        let time = start.duration(to: .now)
        try require(time < patience, "a read of 5 bytes took \(time)")
    }

    private func readWithLimit() throws {
        let sending = BackgroundWork(patience) { [farEnd] in
            try farEnd.send(Array(Self.sample[..<100]))
        }
        try require(
            try channel.read(atMost: 0, within: .zero).isEmpty, "a read of 0 bytes returned some")
        var bytes: [UInt8] = []
        while bytes.count < 100 {
            let part = try channel.read(atMost: 3, within: patience)
            try require((1...3).contains(part.count), "a read of 3 bytes returned \(part.count)")
            bytes += part
        }
        try sending.finish()
        try compare(bytes, with: Array(Self.sample[..<100]))
    }

    private func readNothing() throws {
        for timeout in [Duration.zero, .milliseconds(1), .milliseconds(200)] {
            let start = ContinuousClock.now
            let bytes = try channel.read(atMost: 10, within: timeout)
            let time = start.duration(to: .now)
            try require(bytes.isEmpty, "bytes that nobody sent: \(bytes)")
            // A clock that counts milliseconds may round down.
            try require(
                time >= timeout - .milliseconds(1), "a read within \(timeout) ended after \(time)")
            try require(time < patience, "a read within \(timeout) took \(time)")
        }
    }

    private func readWithTimeouts() throws {
        let part = Array(Self.sample[..<400])
        let sending = BackgroundWork(patience) { [farEnd] in
            for start in stride(from: 0, to: part.count, by: 20) {
                try farEnd.send(Array(part[start..<start + 20]))
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
        let end = ContinuousClock.now + patience
        var bytes: [UInt8] = []
        while bytes.count < part.count, ContinuousClock.now < end {
            bytes += try channel.read(atMost: 7, within: .milliseconds(1))
        }
        try sending.finish()
        try compare(bytes, with: part)
    }

    private func overfill() throws {
        let start = ContinuousClock.now
        try expect(.channelUnavailable, of: "a write that nobody reads") {
            // Whatever lies between takes some: kernels, bridges, hubs.
            for _ in 0..<256 { try channel.write(Self.sample, within: .milliseconds(200)) }
        }
        let time = start.duration(to: .now)
        try require(time < patience * 2, "a write within 200 ms took \(time)")
    }

    private func noticeTheEnd() throws {
        let sending = BackgroundWork(patience) { [farEnd] in
            try farEnd.send([7, 8, 9])
        }
        try compare(try read(3), with: [7, 8, 9])
        try sending.finish()
        let leaving = BackgroundWork(patience) { [farEnd] in try farEnd.leave() }
        try expect(.channelClosed, of: "a read after the far end has left") {
            let end = ContinuousClock.now + patience
            while ContinuousClock.now < end {
                let bytes = try channel.read(atMost: 10, within: patience)
                try require(bytes.isEmpty, "bytes that nobody sent: \(bytes)")
            }
        }
        try leaving.finish()
    }

    private func close() throws {
        channel.close()
        channel.close()
        try expect(.channelClosed, of: "a read after closing") {
            _ = try channel.read(atMost: 1, within: .milliseconds(100))
        }
        try expect(.channelClosed, of: "a write after closing") {
            try channel.write([1], within: .milliseconds(100))
        }
    }

    private func interrupt() throws {
        guard let interrupt = subject.interrupt else { return }
        let interrupting = BackgroundWork(patience) {
            Thread.sleep(forTimeInterval: 0.05)
            interrupt()
        }
        let start = ContinuousClock.now
        try expect(.interrupted, of: "a read that is interrupted") {
            _ = try channel.read(atMost: 1, within: patience * 10)
        }
        try interrupting.finish()
        let time = start.duration(to: .now)
        try require(time < patience, "an interrupted read took \(time)")
    }

    private func name() throws {
        let name = channel.name
        try require(!name.isEmpty, "its name is empty")
        try require(name.count <= 300, "its name has \(name.count) characters")
        let isOneLine = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        try require(isOneLine, "its name holds control characters")
    }
}

// MARK: Parts of checks

extension ChannelTrial {
    /// The sample in pieces whose lengths go through 1 to 700.
    private static var pieces: [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = sample[...]
        while !rest.isEmpty {
            let length = [1, 2, 63, 64, 65, 512, 513, 700][pieces.count % 8]
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    private static func receive(
        _ count: Int, from farEnd: any ChannelFarEnd, _ patience: Duration
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = try farEnd.receive(atMost: count - bytes.count, within: patience)
            guard !part.isEmpty else { break }
            bytes += part
        }
        return bytes
    }

    /// `count` bytes, or those that arrive until nothing does for long.
    private func read(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var limit = 1
        while bytes.count < count {
            let part = try channel.read(atMost: limit, within: patience)
            try require(!part.isEmpty, "\(count) bytes were sent, \(bytes.count) arrived")
            try require(part.count <= limit, "a read of \(limit) bytes returned \(part.count)")
            bytes += part
            limit = limit * 3 % 1021
        }
        return bytes
    }

    private func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
        guard condition else { throw ChannelViolation(check: check, reason: reason()) }
    }

    private func compare(_ bytes: [UInt8], with expected: [UInt8]) throws {
        guard bytes != expected else { return }
        let place = zip(bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset
        let difference =
            place.map { "byte \($0) is \(bytes[$0]), not \(expected[$0])" }
            ?? "\(bytes.count) bytes, not \(expected.count)"
        throw ChannelViolation(check: check, reason: difference)
    }

    private func expect(_ code: ErrorCode, of what: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as ProvisioningError {
            return try require(
                error.code == code, "\(what): \(error.code.rawValue), not \(code.rawValue)")
        }
        throw ChannelViolation(check: check, reason: "\(what): no error, not \(code.rawValue)")
    }
}
