import Foundation

/// Many devices side by side, as `provision run --all` provisions them.
///
/// A device's cost is the processor time of the whole run for it, in `provision` and in the device's own
/// process, as the system counts it. What the cores allow is that many of them per second as fit into the
/// cores, at the cost that a device has in a run of one at a time: nothing is waited for, neither for the
/// disk nor for each other. That is more than one at a time reaches on each core, since such a run waits
/// for its disk and for each answer. The program's start and end count, and are part of both runs;
/// registry and authority are there before. What the host of a virtual machine took of the cores meanwhile,
/// they don't allow.
struct ParallelBenchmark: Benchmark {
    let topic = "parallel"
    let abstract = "64 native devices side by side, beside what the cores allow"

    private static let count = 64

    func measure(_ bench: Bench) throws -> [Measurement] {
        let image = try bench.firmware()
        let count = bench.isQuick ? 8 : Self.count
        let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
        return try Bench.withFolder { folder in
            var runs: (single: [Cost], parallel: [Cost]) = ([], [])
            for number in 0..<(bench.isQuick ? 1 : 15) {
                // In turns: what else the machine does meets both.
                bench.progress("\(count) native devices, one at a time")
                runs.single.append(try run(count, 1, image, folder, "single-\(number)"))
                bench.progress("\(count) native devices side by side")
                runs.parallel.append(try run(count, count, image, folder, "parallel-\(number)"))
            }
            let single = Bench.median(runs.single.map { $0.processor / Double(count) })
            let parallel = Bench.median(runs.parallel.map { $0.processor / Double(count) })
            let round = Round.middle(
                zip(runs.parallel, runs.single).map { parallel, single in
                    Round(
                        own: Double(count) / parallel.wall,
                        peer: cores * (1 - parallel.stolenShare) * Double(count) / single.processor)
                })
            return [
                Measurement(
                    "\(count) native devices side by side", round.own, "/s",
                    beside: .init(name: "\(Int(cores)) cores allow", value: round.peer),
                    .atLeast(0.9)),
                Measurement(
                    "native devices, one at a time",
                    Bench.median(runs.single.map { Double(count) / $0.wall }), "/s"),
                Measurement("processor time of a device, one at a time", single * 1000, "ms"),
                Measurement("processor time of a device, side by side", parallel * 1000, "ms"),
            ]
        }
    }

    /// Of a whole run, in seconds.
    private struct Cost {
        let wall: Double
        let processor: Double
        /// 0 to 1: of all cores' time meanwhile.
        let stolenShare: Double
    }

    /// All devices are blank.
    private func run(
        _ count: Int, _ jobs: Int, _ image: String, _ folder: URL, _ name: String
    ) throws -> Cost {
        let home = ["PROVISION_HOME": folder.appending(path: name).path]
        _ = try Program(
            [
                Bench.provision.path, "run", "--platform", "native", "--instance", "first",
                "--firmware", image, "--detach",
            ], home
        ).runSuccessfully()
        let (start, before) = (Self.processorSecondsOfChildren(), ProcessorTime.now())
        let run = try Program(
            [
                Bench.provision.path, "run", "--all", "--platform", "native", "--instances",
                String(count), "--jobs", String(jobs), "--firmware", image, "--json",
            ], home
        ).runSuccessfully()
        return Cost(
            wall: run.seconds, processor: Self.processorSecondsOfChildren() - start,
            stolenShare: before.flatMap { ProcessorTime.now()?.stolenShare(since: $0) } ?? 0)
    }

    /// Of those that have ended and were waited for, and of theirs.
    private static func processorSecondsOfChildren() -> Double {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        #else
            getrusage(RUSAGE_CHILDREN, &usage)
        #endif
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6
        }
    }
}
