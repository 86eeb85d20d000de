import ArgumentParser
import Foundation

@main
struct ProvisionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision-bench",
        abstract: "Measures provision against limits and peers, in one run.",
        discussion: """
            Build it for release, and leave the machine alone meanwhile. Exit status 1: a figure is \
            beyond its limit.

            TOPICS
            \(benchmarks.map { "  \($0.topic): \($0.abstract)" }.joined(separator: "\n"))

            EXAMPLES
              swift run -c release provision-bench
              swift run -c release provision-bench --topic start --json
            """)

    @Option(help: ArgumentHelp("Only this topic. Repeatable.", valueName: "topic"))
    var topic: [String] = []

    @Flag(help: "Print one JSON document.")
    var json = false

    @Flag(help: "Fewer repetitions: to try whether it runs, not how fast.")
    var quick = false

    func validate() throws {
        for name in topic where !benchmarks.contains(where: { $0.topic == name }) {
            throw ValidationError(
                "\"\(name)\" is no topic; there are "
                    + benchmarks.map { $0.topic }.joined(separator: ", "))
        }
    }

    func run() throws {
        let bench = Bench(isQuick: quick)
        var report = BenchReport()
        for benchmark in benchmarks where topic.isEmpty || topic.contains(benchmark.topic) {
            report.topics.append(
                .init(name: benchmark.topic, measurements: try benchmark.measure(bench)))
        }
        report.skipped = bench.skipped
        print(json ? try report.json() : report.table, terminator: "")
        if report.missed > 0 { throw ExitCode(1) }
    }
}
