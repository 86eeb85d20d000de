import Foundation

/// What the doorbell costs.
struct PluginBenchmark: Benchmark {
    let topic = "plugin"
    let abstract = "what `swift package provision` adds to the executable, once all is built"

    func measure(_ bench: Bench) throws -> [Measurement] {
        // SwiftPM builds the tool for its plugin once more, in the firmware package.
        if bench.isQuick {
            bench.skip(topic, because: "not with --quick: it needs the tool built a second time")
            return []
        }
        bench.progress("building the tool for swift package provision")
        let plugin = Program(
            ["swift", "package", "--package-path", Bench.template.path, "provision", "--version"])
        _ = try plugin.runSuccessfully()
        let direct = Program([
            Bench.template.appending(path: ".build/debug/provision").path, "--version",
        ])
        bench.progress("swift package provision --version")
        let pairs = try (0..<9).map { _ in
            (try plugin.runSuccessfully().seconds, try direct.runSuccessfully().seconds)
        }
        return [
            Measurement(
                "swift package provision adds", Bench.median(pairs.map { $0.0 - $0.1 }) * 1000,
                "ms", beside: .limit(500), .atMost(1))
        ]
    }
}
