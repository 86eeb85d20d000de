import Foundation

/// How this machine's processors have spent their time since it was started, all of them together.
struct ProcessorTime {
    /// In ticks of the kernel's.
    private let total: UInt64
    /// Of `total`: a processor had something to do, and the host of this virtual machine ran something
    /// else.
    private let stolen: UInt64

    /// Nil where the system does not count it.
    static func now() -> ProcessorTime? {
        (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)).flatMap(Self.init(stat:))
    }

    /// Of proc(5)'s first line: user, nice, system, idle, iowait, irq, softirq, steal. What guests of this
    /// machine take comes after that, and is in the others already.
    private init?(stat: String) {
        let words = stat.prefix { !$0.isNewline }.split(separator: " ")
        let ticks = words.dropFirst().prefix(8).compactMap { UInt64($0) }
        guard words.first == "cpu", ticks.count == 8 else { return nil }
        (total, stolen) = (ticks.reduce(0, +), ticks[7])
    }

    /// 0 to 1: how much of the processors was stolen since `start`.
    func stolenShare(since start: ProcessorTime) -> Double {
        guard total > start.total, stolen >= start.stolen else { return 0 }
        return Double(stolen - start.stolen) / Double(total - start.total)
    }
}
