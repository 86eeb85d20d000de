import ArgumentParser
import Foundation

@main
struct ProvisionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision-bench",
        abstract: "Measures provision against limits and peers, in one run.",
        discussion: """
            Build it for release, and leave the machine alone meanwhile: the last example gives every figure \
            of which something is asked. What it needs it builds or \
            installs below the repository's .build, and says so.

            EXIT STATUS
              0 all held, 1 a figure is beyond its limit, 2 a topic could not be measured, 64 usage.

            TOPICS
            \(benchmarks.map { "  \($0.topic): \($0.abstract)" }.joined(separator: "\n"))

            EXAMPLES
              swift run -c release provision-bench
              swift run -c release provision-bench --topic start --json
              swift run -c release provision-bench --limits --all
            """)

    @Option(help: ArgumentHelp("Only this topic. Repeatable.", valueName: "topic"))
    var topic: [String] = []

    @Flag(help: "Also the topics that take minutes.")
    var all = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @Flag(help: "In the table, leave out figures of which nothing is asked.")
    var limits = false

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
        let start = ProcessorTime.now()
        for benchmark in benchmarks where topic.isEmpty || topic.contains(benchmark.topic) {
            if benchmark.takesMinutes, !all, topic.isEmpty {
                bench.skip(benchmark.topic, because: "takes minutes; --topic \(benchmark.topic)")
                continue
            }
            do {
                report.topics.append(
                    .init(name: benchmark.topic, measurements: try benchmark.measure(bench)))
            } catch {
                report.failed.append("\(benchmark.topic): \(error)")
            }
        }
        report.skipped = bench.skipped
        report.stolenShare = start.flatMap { ProcessorTime.now()?.stolenShare(since: $0) }
        print(json ? try report.json() : report.table(isShort: limits), terminator: "")
        if !report.failed.isEmpty { throw ExitCode(2) }
        if report.missed > 0 { throw ExitCode(1) }
    }
}
