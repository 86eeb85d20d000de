import Foundation
import Provisioning
import Registry

/// The same operations on registries of several sizes, by turns: whatever else the machine does
/// slows all of them.
struct GrowthMeasurement {
    private let bench: Bench
    private let registries: [SampleRegistry]

    init(_ bench: Bench, _ registries: [SampleRegistry]) {
        self.bench = bench
        self.registries = registries
    }

    private struct Operation: Sendable {
        let name: String
        let perTurn: Int
        /// Of a registry, one of its devices, and a number that never comes again.
        let body: @Sendable (SampleRegistry, SampleDevice, Int) throws -> Void
    }

    private static let operations = [
        Operation(name: "re-flash transaction, durable", perTurn: 20) { sample, device, unique in
            _ = try sample.registry.register(
                device.flashedAgain(unique).claim, at: SampleDevice.date)
        },
        Operation(name: "look-up by device ID", perTurn: 200) { sample, device, _ in
            try require(sample.registry.device(device.identity)?.identity == device.identity)
        },
        Operation(name: "look-up by key", perTurn: 200) { sample, device, _ in
            try require(sample.registry.key(device.thumbprint)?.identity == device.identity)
        },
        Operation(name: "look-up by serial number", perTurn: 200) { sample, device, _ in
            let found = try sample.registry.credentials(serialNumber: device.serialNumber)
            try require(found.map(\.thumbprint) == [device.thumbprint])
        },
    ]

    private struct WrongAnswer: Error {}

    private static func require(_ isRight: Bool) throws {
        guard isRight else { throw WrongAnswer() }
    }

    /// The largest registry beside the smallest one, by the mean of a turn, so that what a transaction
    /// leaves to a later one (copying the log to the file) counts; then the figures of each.
    func figures() throws -> [Measurement] {
        try Self.operations.flatMap { operation in
            bench.progress(operation.name)
            let microseconds = try measure(operation)
            bench.progress(
                microseconds.map { String(format: "%.1f µs", $0) }.joined(separator: ", "))
            let names = registries.map { RegistryBenchmark.grouped($0.count) }
            let first = Measurement.Yardstick(name: names[0], value: microseconds[0])
            return zip(names, microseconds).dropFirst().map { name, value in
                Measurement("\(operation.name), of \(name)", value, "µs", beside: first, .atMost(2))
            }
        }
    }

    /// For each registry, the median of the turns' means, in microseconds.
    private func measure(_ operation: Operation) throws -> [Double] {
        var turns = registries.map { _ in [Double]() }
        var generator = SystemRandomNumberGenerator()
        var unique = 0
        for turn in 0..<(bench.isQuick ? 5 : 30) {
            for (index, sample) in registries.enumerated() {
                let devices = (0..<operation.perTurn).map { _ in
                    sample.device(Int.random(in: 0..<sample.count, using: &generator))
                }
                let seconds = try Bench.seconds {
                    for device in devices {
                        unique += 1
                        try operation.body(sample, device, unique)
                    }
                }
                // The first turn fills the caches.
                if turn > 0 { turns[index].append(seconds / Double(operation.perTurn) * 1e6) }
            }
        }
        return turns.map(Bench.median)
    }
}
