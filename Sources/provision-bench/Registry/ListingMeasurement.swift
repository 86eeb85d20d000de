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
        /// What it must write at least for each device: else it is no listing of all.
        var linesPerDevice = 0
        var bytesPerDevice = 0
        /// Whether what it writes begins with how many events it has seen.
        var countsEvents = false

        func isComplete(_ output: ProcessMeter.Output, of devices: Int) -> Bool {
            guard output.lineCount >= linesPerDevice * devices,
                output.byteCount >= bytesPerDevice * devices
            else { return false }
            guard countsEvents else { return true }
            let digits = output.beginning.drop { !$0.isNumber }.prefix { $0.isNumber }
            return Int64(digits).map { $0 >= FastFill.eventCount * Int64(devices) } ?? false
        }
    }

    /// Devices whose new key is not active yet are not in the lists of keys: some in a thousand.
    private static let listings = [
        Listing(arguments: ["devices"], linesPerDevice: 1),
        Listing(arguments: ["devices", "--json"], linesPerDevice: 35),
        Listing(arguments: ["keys"], linesPerDevice: 1),
        Listing(arguments: ["keys", "--json"], linesPerDevice: 30),
        Listing(arguments: ["export", "--format", "jsonl"], linesPerDevice: 1),
        Listing(arguments: ["export", "--format", "csv"], linesPerDevice: 1),
        Listing(arguments: ["export", "--format", "keyset"], bytesPerDevice: 100),
        Listing(
            arguments: ["export", "--format", "ariel-peers", "--scope", "allow-all"],
            bytesPerDevice: 200),
        Listing(arguments: ["export", "--format", "aiocoap"], bytesPerDevice: 300),
        Listing(arguments: ["registry", "log"], linesPerDevice: 5),
        Listing(arguments: ["registry", "verify"], countsEvents: true),
    ]

    func figures() throws -> [Measurement] {
        let floor = try meter(["--version"])
        var figures = [Measurement("provision --version, peak", floor.peakMegabytes, "MB")]
        for listing in Self.listings {
            let command = listing.arguments.joined(separator: " ")
            let usage = try meter(listing.arguments)
            guard listing.isComplete(usage.output, of: sample.count) else {
                throw ProcessMeter.Failure(
                    description: """
                        provision \(command) wrote \(usage.output.byteCount) bytes, \
                        \(usage.output.lineCount) lines: \(usage.output.beginning.prefix(200))
                        """)
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
