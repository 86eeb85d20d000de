import Foundation

/// What `provision` itself takes to list and export a large registry.
struct ListingMeasurement {
    private let bench: Bench
    private let sample: SampleRegistry

    /// Megabytes.
    private static let limit = 60.0

    init(_ bench: Bench, _ sample: SampleRegistry) {
        self.bench = bench
        self.sample = sample
    }

    private struct Listing {
        let arguments: [String]
        /// Lines that it must write at least for each device: else it is no listing of all.
        let linesPerDevice: Int
    }

    private static let listings = [
        Listing(arguments: ["devices"], linesPerDevice: 1),
        Listing(arguments: ["devices", "--json"], linesPerDevice: 35),
        Listing(arguments: ["keys"], linesPerDevice: 1),
        Listing(arguments: ["keys", "--json"], linesPerDevice: 30),
        Listing(arguments: ["export", "--format", "jsonl"], linesPerDevice: 1),
        Listing(arguments: ["export", "--format", "csv"], linesPerDevice: 1),
        Listing(arguments: ["export", "--format", "keyset"], linesPerDevice: 0),
        Listing(arguments: ["registry", "log"], linesPerDevice: 5),
        Listing(arguments: ["registry", "verify"], linesPerDevice: 0),
    ]

    func figures() throws -> [Measurement] {
        let floor = try meter(["--version"])
        var figures = [Measurement("provision --version, peak", floor.peakMegabytes, "MB")]
        for listing in Self.listings {
            let command = listing.arguments.joined(separator: " ")
            let usage = try meter(listing.arguments)
            guard usage.lineCount >= listing.linesPerDevice * sample.count else {
                throw ProcessMeter.Failure(
                    description: "provision \(command) wrote \(usage.lineCount) lines")
            }
            let name = "\(command) of \(RegistryBenchmark.grouped(sample.count))"
            figures += [
                Measurement(
                    "\(name), peak", usage.peakMegabytes, "MB", beside: .limit(Self.limit),
                    .atMost(1)),
                Measurement("\(name), time", usage.seconds, "s"),
            ]
        }
        return figures + (try revocationList())
    }

    /// Signed as a whole, so it grows with what was revoked: a figure, not a limit.
    private func revocationList() throws -> [Measurement] {
        let count = bench.isQuick ? 1000 : 100_000
        bench.progress("revoking \(count) keys")
        try sample.revoke(count)
        let usage = try meter(["export", "--format", "crl"])
        let name = "export --format crl, \(RegistryBenchmark.grouped(count)) revoked"
        return [
            Measurement("\(name), peak", usage.peakMegabytes, "MB"),
            Measurement("\(name), time", usage.seconds, "s"),
        ]
    }

    private func meter(_ arguments: [String]) throws -> ProcessMeter {
        bench.progress("provision \(arguments.joined(separator: " "))")
        let usage = try ProcessMeter(Bench.provision, arguments, home: sample.home)
        bench.progress(String(format: "%.1f s, %.1f MB", usage.seconds, usage.peakMegabytes))
        return usage
    }
}
