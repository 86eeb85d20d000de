import Foundation

/// How much memory the executable needs.
struct MemoryBenchmark: Benchmark {
    let topic = "memory"
    let abstract = "peak memory of the executable while it provisions"

    func measure(_ bench: Bench) throws -> [Measurement] {
        #if !os(Linux)
            bench.skip(topic, because: "only Linux tells another process's peak")
            return []
        #else
            return try Bench.withFolder { folder in
                var measurements = [try peak("native", bench.firmware(), folder, bench)]
                if let reason = bench.emulatorObstacle {
                    bench.skip("peak memory, microbit-qemu", because: reason)
                } else {
                    measurements.append(
                        try peak("microbit-qemu", bench.microbitFirmware(), folder, bench))
                }
                return measurements
            }
        #endif
    }

    /// Of `provision` alone: an emulator stands for a board.
    private func peak(
        _ platform: String, _ image: String, _ folder: URL, _ bench: Bench
    ) throws -> Measurement {
        bench.progress("provision run --platform \(platform)")
        let peaks = try (0..<(bench.isQuick ? 1 : 5)).map { _ in
            try Program(
                [
                    Bench.provision.path, "run", "--platform", platform, "--firmware", image,
                    "--erase", "--detach",
                ], ["PROVISION_HOME": folder.appending(path: "home").path]
            ).runSuccessfully(watchesMemory: true).peakMemory / 1_000_000
        }
        return Measurement(
            "peak memory, \(platform)", peaks.max() ?? 0, "MB", beside: .limit(40), .atMost(1))
    }
}
