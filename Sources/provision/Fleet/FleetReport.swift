import Foundation
import Provisioning

/// The result of a run with several boards, as `--json` and `--report` give it.
struct FleetReport<Record: Encodable & Sendable>: Sendable {
    /// One board: its record, or the error in its place.
    struct Entry: Encodable, Sendable {
        let name: String
        let platform: String
        let seconds: Double
        let record: Record?
        let error: ErrorDocument.Failure?
    }

    /// What is said of all of them.
    struct Sum: Encodable, Sendable {
        let failed: Int
        let seconds: Double
        let succeeded: Int
    }

    private let results: [FleetResult<Record>]
    let sum: Sum

    init(_ results: [FleetResult<Record>], seconds: Double) {
        self.results = results
        let failed = results.count { $0.entry.error != nil }
        sum = Sum(failed: failed, seconds: seconds, succeeded: results.count - failed)
    }

    /// `JSONDocument.encode` of one object with `boards` and the sum. Each board's own thread has made its part:
    /// in the end, nothing but this would run.
    func document() throws -> Data {
        var text = Data("{\n  \"boards\" : [\n".utf8)
        for (index, result) in results.enumerated() {
            text += (index == 0 ? "    " : ",\n    ").utf8
            text += try result.document.get()
        }
        text += "\n  ],".utf8
        // Without its brace: the names of the sum come behind.
        text += try JSONDocument.encode(sum).dropFirst()
        return text
    }

    /// A table with a line for each board, and the sum. A column of the record's for each of `columns`.
    func text(_ columns: [(header: String, value: (Record) -> String)]) -> String {
        var table = Table(["BOARD", "PLATFORM"] + columns.map(\.header) + ["SECONDS", "RESULT"])
        for entry in results.map(\.entry) {
            let cells = columns.map { column in entry.record.map(column.value) ?? "-" }
            table.append(
                [entry.name, entry.platform] + cells
                    + [
                        String(format: "%.3f", entry.seconds),
                        entry.error.map { "error[\($0.code)]: \($0.reason)" } ?? "done",
                    ])
        }
        let total = String(format: "%.3f", sum.seconds)
        return table.text + "\(sum.succeeded) of \(results.count) boards done in \(total) s\n"
    }
}

/// What became of one of several boards.
struct FleetResult<Record: Encodable & Sendable>: Sendable {
    let outcome: Result<Record, ProvisioningError>
    let entry: FleetReport<Record>.Entry
    /// The entry's part of the report.
    let document: Result<[UInt8], any Error>

    init(_ board: FleetBoard, _ outcome: Result<Record, ProvisioningError>, seconds: Double) {
        var (record, failure): (Record?, ErrorDocument.Failure?)
        switch outcome {
        case .success(let success): record = success
        case .failure(let error): failure = ErrorDocument.Failure(error)
        }
        let entry = FleetReport<Record>.Entry(
            name: board.name, platform: board.choice.platform.name, seconds: seconds,
            record: record, error: failure)
        self.outcome = outcome
        self.entry = entry
        document = Result { try JSONDocument.part(entry, level: 2) }
    }
}

extension Fleet {
    /// Runs all, shows the summary, and throws the first failure, if there is one: it decides the exit
    /// status. An interruption comes before all others.
    func run(
        _ session: Session, _ document: ResultDocument,
        columns: [(header: String, value: (Record) -> String)], _ work: @escaping Work
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let results = run(session, work)
        let report = FleetReport(results, seconds: (clock.now - start) / .seconds(1))
        try document.show(document: try report.document(), text: report.text(columns))
        guard report.sum.failed > 0 else { return }
        try session.interruption.check()
        for result in results {
            guard case .failure(let error) = result.outcome else { continue }
            throw ProvisioningError(
                error.code,
                "\(report.sum.failed) of \(results.count) boards failed, \(result.entry.name) first: "
                    + error.reason,
                hint: error.hint)
        }
    }
}
