import Foundation

/// What a run measured, as a table or as JSON.
struct BenchReport: Encodable {
    struct Topic: Encodable {
        let name: String
        let measurements: [Measurement]
    }

    var topics: [Topic] = []
    /// What can't be had here, and why.
    var skipped: [String] = []
    /// Topics that should have been measured, and what went wrong.
    var failed: [String] = []

    /// Processors of this machine that can be used.
    var processorCount = ProcessInfo.processInfo.activeProcessorCount
    /// 0 to 1: how much of their time other machines on the same host took meanwhile; nil where nobody
    /// counts it. What needs several processors at once collapses with it: a thread waits for one that
    /// does not run.
    var stolenShare: Double?

    private var all: [Measurement] { topics.flatMap(\.measurements) }
    /// Figures beyond their limit.
    var missed: Int { all.count { $0.holds == false } }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// A Markdown table: it goes into a README as it is.
    ///
    /// - Parameter isShort: only figures of which something is asked.
    func table(isShort: Bool) -> String {
        var rows = [["figure", "value", "beside", "ratio", "asked", ""]]
        for figure in all where !isShort || figure.holds != nil { rows.append(cells(of: figure)) }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { line($0, widths) }
        lines.insert(line(widths.map { String(repeating: "-", count: $0) }, widths), at: 1)
        let held = all.count { $0.holds == true }
        return lines.joined()
            + skipped.map { "skipped: \($0)\n" }.joined()
            + failed.map { "failed: \($0)\n" }.joined()
            + machine
            + "\(held) held, \(missed) missed, \(skipped.count) skipped, \(failed.count) failed\n"
    }

    private var machine: String {
        let processors = "machine: \(processorCount) cores"
        guard let stolenShare else { return processors + "; stolen time is not counted here\n" }
        return processors + String(format: ", %.1f %% of their time stolen\n", stolenShare * 100)
    }

    private func cells(of figure: Measurement) -> [String] {
        let asked =
            switch figure.bound {
            case .atMost(let limit): "≤ \(Self.number(limit))"
            case .atLeast(let limit): "≥ \(Self.number(limit))"
            case nil: ""
            }
        return [
            figure.name, "\(Self.number(figure.value)) \(figure.unit)",
            figure.yardstick.map { "\($0.name) \(Self.number($0.value)) \(figure.unit)" } ?? "",
            figure.ratio.map(Self.number) ?? "", asked,
            figure.holds.map { $0 ? "ok" : "missed" } ?? "",
        ]
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: width - cell.count)
        }
        return "| " + padded.joined(separator: " | ") + " |\n"
    }

    /// Three significant digits; whole numbers from 100 on.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if abs(value) >= 100 { return String(Int(value.rounded())) }
        let digits = abs(value) >= 10 ? 1 : abs(value) >= 1 ? 2 : 3
        return String(format: "%.\(digits)f", value)
    }
}
