import Foundation

/// From nothing to a provisioned demo device: clone, `Scripts/demo`, on two cores.
struct ColdStartBenchmark: Benchmark {
    let topic = "cold"
    let abstract = "from a clone to a provisioned demo device on 2 cores, and what takes the time"
    let takesMinutes = true

    func measure(_ bench: Bench) throws -> [Measurement] {
        #if !os(Linux)
            bench.skip(topic, because: "taskset holds a process to two cores on Linux only")
            return []
        #else
            return try Bench.withFolder { try measure(bench, $0) }
        #endif
    }

    private func measure(_ bench: Bench, _ folder: URL) throws -> [Measurement] {
        let clone = folder.appending(path: "clone")
        let report = folder.appending(path: "report.json")
        let template = clone.appending(path: "Templates/embedded-swift")
        // Where the packages of others were kept before would not be cold.
        let environment = [
            "XDG_CACHE_HOME": folder.appending(path: "cache").path, "PROVISION_HOME": nil,
        ]
        func seconds(_ doing: String, _ arguments: [String], in directory: URL) throws -> Double {
            bench.progress(doing)
            return try Program(["taskset", "-c", "0,1"] + arguments, in: directory, environment)
                .runSuccessfully().seconds
        }
        let cloning = try seconds(
            "git clone", ["git", "clone", "--quiet", Bench.packageRoot.path, clone.path],
            in: folder)
        let setup = try seconds("Scripts/setup", ["Scripts/setup"], in: clone)
        let fetching = try seconds(
            "fetching dependencies", ["swift", "package", "resolve"], in: template)
        let demo = try seconds(
            "Scripts/demo", ["Scripts/demo", "--report", report.path], in: clone)
        let run = try Self.steps(in: report)
        guard let firmware = run["build"] else { throw Failure("the demo built no firmware") }
        let provisioning = run.values.reduce(0, +) - firmware
        return [
            Measurement(
                "cold clone to a provisioned device, 2 cores",
                cloning + setup + fetching + demo, "s", beside: .limit(300), .atMost(1)),
            Measurement("of which clone, set-up, dependencies", cloning + setup + fetching, "s"),
            Measurement("of which the tool is compiled", demo - firmware - provisioning, "s"),
            Measurement("of which the firmware is compiled", firmware, "s"),
            Measurement("of which the board is provisioned", provisioning, "s"),
        ]
    }

    /// Seconds of each step of a run.
    private static func steps(in report: URL) throws -> [String: Double] {
        struct Report: Decodable {
            struct Step: Decodable {
                let step: String
                let seconds: Double
            }
            let steps: [Step]
        }
        let steps = try JSONDecoder().decode(Report.self, from: Data(contentsOf: report)).steps
        return Dictionary(steps.map { ($0.step, $0.seconds) }, uniquingKeysWith: +)
    }
}
