import Foundation

/// Does the registry stay as fast as it grows, and does a listing stay as small?
struct RegistryBenchmark: Benchmark {
    let topic = "registry"
    let abstract = "1,000 to 1,000,000 devices: re-flash, look-up, listing, durable commits"

    func measure(_ bench: Bench) throws -> [Measurement] {
        let sizes = bench.isQuick ? [100, 1000, 10_000] : [1000, 100_000, 1_000_000]
        return try Bench.withFolder { folder in
            var figures: [Measurement] = []
            var registries: [SampleRegistry] = []
            for count in sizes {
                bench.progress("making a registry of \(count) devices")
                let start = ContinuousClock.now
                let sample = try registries.first.map {
                    try SampleRegistry(in: folder, count: count, like: $0)
                }
                try registries.append(sample ?? SampleRegistry(in: folder, count: count))
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                bench.progress(String(format: "made it in %.1f s", seconds))
                figures.append(
                    Measurement(
                        "registry of \(Self.grouped(count)), on disk",
                        Double(registries[registries.count - 1].size) / 1e6, "MB"))
            }
            figures += try GrowthMeasurement(bench, registries).figures()
            if let largest = registries.last {
                figures += try ListingMeasurement(bench, largest).figures()
            }
            return figures + (try CommitMeasurement(bench, in: folder).figures())
        }
    }

    /// `1000000` as `1,000,000`.
    static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
