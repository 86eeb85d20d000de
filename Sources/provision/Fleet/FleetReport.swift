import Foundation
import Provisioning

/// The result of a run with several boards, as `--json` and `--report` give it.
struct FleetReport<Record: Encodable & Sendable>: Encodable {
    /// One board: its record, or the error in its place.
    struct Entry: Encodable {
        let name: String
        let platform: String
        let seconds: Double
        let record: Record?
        let error: ResultDocument.Failure?
    }

    let boards: [Entry]
    let succeeded: Int
    let failed: Int
    let seconds: Double

    init(_ results: [FleetResult<Record>], seconds: Double) {
        boards = results.map(Entry.init)
        failed = boards.count { $0.error != nil }
        succeeded = boards.count - failed
        self.seconds = seconds
    }

    /// A table with a line for each board, and the sum. A column of the record's for each of `columns`.
    func text(_ columns: [(header: String, value: (Record) -> String)]) -> String {
        var table = Table(["BOARD", "PLATFORM"] + columns.map(\.header) + ["SECONDS", "RESULT"])
        for entry in boards {
            let cells = columns.map { column in entry.record.map(column.value) ?? "-" }
            table.append(
                [entry.name, entry.platform] + cells
                    + [
                        String(format: "%.3f", entry.seconds),
                        entry.error.map { "error[\($0.code)]: \($0.reason)" } ?? "done",
                    ])
        }
        let total = String(format: "%.3f", seconds)
        return table.text + "\(succeeded) of \(boards.count) boards done in \(total) s\n"
    }
}

extension FleetReport.Entry {
    init(_ result: FleetResult<Record>) {
        name = result.board.name
        platform = result.board.choice.platform.name
        seconds = result.seconds
        switch result.outcome {
        case .success(let record): (self.record, error) = (record, nil)
        case .failure(let error):
            record = nil
            self.error = ResultDocument.Failure(error)
        }
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
        try document.show(report, text: report.text(columns))
        guard report.failed > 0 else { return }
        try session.interruption.check()
        for result in results {
            guard case .failure(let error) = result.outcome else { continue }
            throw ProvisioningError(
                error.code,
                "\(report.failed) of \(results.count) boards failed, \(result.board.name) first: "
                    + error.reason,
                hint: error.hint)
        }
    }
}
