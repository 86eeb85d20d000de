import Foundation

/// What the executable costs before it does anything.
struct StartBenchmark: Benchmark {
    let topic = "start"
    let abstract = "start of the executable"

    func measure(_ bench: Bench) throws -> [Measurement] {
        bench.progress("provision --version")
        let program = Program([Bench.provision.path, "--version"])
        let times = try (0..<(bench.isQuick ? 5 : 100)).map { _ in
            try program.runSuccessfully().seconds * 1000
        }
        return [
            Measurement(
                "provision --version", Bench.median(times), "ms", beside: .limit(15), .atMost(1))
        ]
    }
}
