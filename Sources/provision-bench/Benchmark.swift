/// A group of figures that are measured together.
protocol Benchmark: Sendable {
    /// What `--topic` calls it.
    var topic: String { get }
    /// One line for `--help`.
    var abstract: String { get }

    /// - Parameter bench: says how much to measure, and takes what is skipped and why.
    func measure(_ bench: Bench) throws -> [Measurement]
}

/// All topics, in the order of the table.
let benchmarks: [any Benchmark] = [
    DeviceBenchmark(), CryptographyBenchmark(), RegistryBenchmark(), StartBenchmark(),
]
