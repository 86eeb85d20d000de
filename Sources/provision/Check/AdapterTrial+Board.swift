import Channels
import Foundation
import PlatformAdapter
import Platforms
import Provisioning
import ProvisioningTesting
import Synchronization

// The checks of what an adapter does with a board.
extension AdapterTrial {
    /// More than a pipe holds, so that a board that leaves is noticed on the way, too.
    private static let image = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }

    private func image(in bench: AdapterBench) throws -> FirmwareImage {
        // A name that no shell may take apart.
        let file = bench.folder.appending(path: "an \"image\" $(x) \\ é.bin")
        try Data(Self.image).write(to: file)
        return FirmwareImage(path: file.path)
    }

    func flash(erasing: Bool) throws -> String {
        try withBench { bench in
            let session = try bench.greeted()
            let ability = erasing ? AdapterAbility.erase : .flash
            try require(session.abilities.contains(ability), "it can't \(ability.rawValue)")
            var (last, total) = (0, 0)
            var isOrdered = true
            let receipt = try AdapterFlasher(session) { done, all in
                isOrdered = isOrdered && done >= last && (all == 0 || done <= all)
                (last, total) = (done, all)
            }.flash(image(in: bench), erasing: erasing)
            let images = bench.images.all
            try require(images.count == 1, "the board took \(images.count) images")
            try require(
                images[0].bytes == Self.image,
                "the board got \(images[0].bytes.count) bytes that are not the image")
            try require(
                images[0].isErasing == erasing, "its keys were\(erasing ? " not" : "") erased")
            try require(isOrdered, "progress goes back, or beyond its end")
            try require(
                receipt.byteCount == nil || receipt.byteCount == Self.image.count,
                "it says \(receipt.byteCount ?? 0) bytes, the image has \(Self.image.count)")
            return "\(Self.image.count) bytes" + (total > 0 ? ", with progress" : ", no progress")
        }
    }

    func unplugWhileFlashing() throws -> String {
        try withBench {
            $0.leavesAfter = 50_000
        } body: { bench in
            let session = try bench.greeted()
            let codes: [ErrorCode] = [.flashFailed, .probeUnavailable]
            let error = try expectFailure("flash") {
                _ = try AdapterFlasher(session).flash(image(in: bench), erasing: false)
            }
            try require(codes.contains(error.code), "it says \(error.code.rawValue)")
            // It is not the adapter that left.
            try session.ask(unknown: "x-still-there")
            return error.reason
        }
    }

    func missBoard() throws -> String {
        try withBench { bench in
            let session = try bench.greeted()
            bench.board.unplug()
            let codes: [ErrorCode] = [.probeUnavailable, .channelUnavailable]
            let error = try expectFailure("open") {
                _ = try AdapterChannel(session, port: nil, isFlashed: false)
            }
            try require(codes.contains(error.code), "open says \(error.code.rawValue)")
            if session.abilities.contains(.identify) {
                let error = try expectFailure("identify") {
                    _ = try AdapterIDReader(session).readDeviceID()
                }
                try require(error.code == .probeUnavailable, "identify says \(error.code.rawValue)")
            }
            return error.reason
        }
    }

    func missImage() throws -> String {
        try withBench { bench in
            let session = try bench.greeted()
            let error = try expectFailure("flash") {
                _ = try session.call(
                    .flash,
                    [
                        .init("image", .text(bench.folder.path + "/none")),
                        .init("erase", .flag(false)),
                    ], within: AdapterBench.patience)
            }
            try require(error.code == .imageInvalid, "it says \(error.code.rawValue)")
            return error.reason
        }
    }

    func identify() throws -> String {
        try withBench { bench in
            let id = try AdapterIDReader(bench.greeted()).readDeviceID()
            try require(
                "\(id)" == AdapterBench.deviceID, "it reads \(id), not \(AdapterBench.deviceID)")
            return "\(id)"
        }
    }

    func reset() throws {
        let count = ResetCount()
        try withBench {
            $0.reset = count.add
        } body: { bench in
            let session = try bench.greeted()
            let channel = try AdapterChannel(session, port: nil, isFlashed: false)
            defer { channel.close() }
            try session.reset()
            let end = ContinuousClock.now + .seconds(2)
            while count.value == 0, ContinuousClock.now < end { usleep(5000) }
            try require(count.value == 1, "the board was reset \(count.value) times")
        }
    }

    /// Flash, identify, and the whole conversation, with a registry of its own.
    func provision() throws -> String {
        var board = platform?.board
        if board == nil {
            board = try withBench { bench in
                let session = AdapterSession(bench.process)
                return try Platform(session.hello(bench.selection), of: program).board
            }
        }
        let device = try SimulatedBoard(AdapterBench.deviceID, board: board ?? "")
        return try withBench {
            $0.talk = device.talk
        } body: { bench in
            let session = try bench.greeted()
            let run = try SimulatedRun(in: bench.folder)
            var plan = SimulatedRun.plan
            plan.board = board
            if session.abilities.contains(.flash) { plan.image = try image(in: bench) }
            let outcome = try run.provision(
                plan, flasher: plan.image == nil ? nil : AdapterFlasher(session),
                probe: session.abilities.contains(.identify) ? AdapterIDReader(session) : nil
            ) { () throws(ProvisioningError) in
                try AdapterChannel(session, port: nil, isFlashed: plan.image != nil)
            }
            outcome.channel.close()
            let identity = outcome.registration.identity
            return "\(identity.board) \(identity.id), key active"
        }
    }

    private func expectFailure(_ what: String, _ body: () throws -> Void) throws
        -> ProvisioningError
    {
        do {
            try body()
        } catch let error as ProvisioningError {
            return error
        }
        throw CheckFailure("\(what) says that it is done")
    }

    private func withBench<Result>(
        _ change: (inout BoardFolder.Behaviour) -> Void, body: (AdapterBench) throws -> Result
    ) throws -> Result {
        try withBench(change, body)
    }
}

/// Counted on the board's thread.
private final class ResetCount: Sendable {
    private let count = Atomic(0)

    @Sendable func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
