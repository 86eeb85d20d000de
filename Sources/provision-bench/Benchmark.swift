/// A group of figures that are measured together.
protocol Benchmark: Sendable {
    /// What `--topic` calls it.
    var topic: String { get }
    /// One line for `--help`.
    var abstract: String { get }
    /// Left out unless it is named, or all are asked for.
    var takesMinutes: Bool { get }

    /// - Parameter bench: says how much to measure, and takes what is skipped and why.
    /// - Throws: whatever kept it from measuring; the other topics go on.
    func measure(_ bench: Bench) throws -> [Measurement]
}

extension Benchmark {
    var takesMinutes: Bool { false }
}

/// All topics, in the order of the table.
let benchmarks: [any Benchmark] = [
    DeviceBenchmark(), EnrollBenchmark(), ParallelBenchmark(), CryptographyBenchmark(),
    RegistryBenchmark(), RTTBenchmark(), USBBenchmark(), AdapterBenchmark(), StartBenchmark(),
    PlatformsBenchmark(),
    PluginBenchmark(), MemoryBenchmark(), ColdStartBenchmark(),
]
