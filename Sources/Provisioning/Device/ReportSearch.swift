internal import Attestation

/// The reports of one log, and which of them is the device's. No I/O: octets in, a decision out.
struct ReportSearch {
    /// A report that passed the Verifier.
    struct Found {
        let format: ReportFormat
        let result: AttestationResult
    }

    private let plan: ProvisioningPlan
    private let expectation: ReportExpectation
    private let noted: (String) -> Void
    private(set) var scanner: ReportScanner
    private(set) var found: [Found] = []
    /// The last report that was none, or another device's. What is malformed counts only where nothing else is
    /// wrong: where a log is cut, in the middle of a report that says more, is chance.
    private(set) var refusal: ProvisioningError?
    private var noteCount = 0

    /// A log that is full of broken reports is said so only as often.
    private static let maximumNoteCount = 20
    /// Keys and devices, of which one alone is right: older ones than that tell nothing more.
    private static let maximumFoundCount = 64

    init(_ plan: ProvisioningPlan, probedID: DeviceID?, noted: @escaping (String) -> Void) {
        self.plan = plan
        self.noted = noted
        expectation = ReportExpectation(board: plan.board, probedID: probedID)
        scanner = ReportScanner(formats: plan.reportFormats)
    }

    mutating func push(_ bytes: [UInt8]) { take(scanner.push(bytes)) }

    mutating func finish() { take(scanner.finish()) }

    private mutating func take(_ findings: [ReportScanner.Finding]) {
        for finding in findings {
            switch finding {
            case .torn(let error):
                refuse(ProvisioningError(error.code, error.description), "a report is torn: ")
            case .report(let report): take(report)
            }
        }
    }

    private mutating func take(_ report: DeviceReport) {
        do throws(AppraisalError) {
            let result = try Verifier.appraise(report: report, against: expectation)
            if let wanted = plan.device, wanted != result.identity.id {
                return refuse(.anotherDevice(wanted, result.identity.id), "not this device's: ")
            }
            add(Found(format: report.format, result: result))
        } catch {
            refuse(ProvisioningError(error), "a report is refused: ")
        }
    }

    /// The key that was reported last is the last.
    private mutating func add(_ new: Found) {
        found.removeAll {
            $0.format == new.format && $0.result.identity == new.result.identity
                && $0.result.hasSameKey(as: new.result)
        }
        found.append(new)
        if found.count > Self.maximumFoundCount { found.remove(at: leastOfFound()) }
    }

    /// Of the reports that count least, the oldest whose device reported another key since: the last key
    /// counts, and that there is another device must not be forgotten.
    private func leastOfFound() -> Int {
        let format = ReportFormat.allCases.last { format in found.contains { $0.format == format } }
        let least = found.indices.filter { found[$0].format == format }
        return least.first { index in
            least.contains {
                $0 > index && found[$0].result.identity == found[index].result.identity
            }
        } ?? least.first ?? 0
    }

    private mutating func refuse(_ error: ProvisioningError, _ prefix: String) {
        if error.code != .evidenceMalformed || refusal == nil { refusal = error }
        noteCount += 1
        if noteCount < Self.maximumNoteCount { noted(prefix + error.reason) }
        if noteCount == Self.maximumNoteCount { noted("and more of them") }
    }

    /// The device's key.
    ///
    /// A signed report counts before one that nobody signed: a device may report both, of two keys. Of
    /// several devices none is chosen, and of several keys of one device only by `--replace-key`: which
    /// of them it has now is a guess, and a device that makes a key at each boot has none to register.
    ///
    /// - Throws: `.idMismatch`, `.volatileKey`; `refusal`, or else `.reportMissing`, if there is none.
    func decision(_ why: String) throws(ProvisioningError) -> Found {
        guard
            let format = ReportFormat.allCases.first(where: { format in
                found.contains { $0.format == format }
            })
        else { throw nothing(why) }
        let candidates = found.filter { $0.format == format }
        let last = candidates[candidates.count - 1]
        let others = candidates.filter { $0.result.identity != last.result.identity }
        guard others.isEmpty else {
            let names = Set(candidates.map { "\($0.result.identity)" }).sorted()
            throw ProvisioningError(
                .idMismatch,
                "\(names.count) devices report on this log: \(names.joined(separator: ", "))",
                hint: "choose one with --device")
        }
        guard candidates.count == 1 || plan.replacesKey else {
            throw .volatileKey(last.result, after: candidates[candidates.count - 2].result)
        }
        return last
    }

    private func nothing(_ why: String) -> ProvisioningError {
        let lines = scanner.lastLines.map { "\n  \($0)" }.joined()
        let seen =
            scanner.byteCount == 0
            ? ""
            : "; \(scanner.byteCount) bytes came, the last lines are\(lines)"
        if let refusal {
            return ProvisioningError(
                refusal.code, "\(refusal.reason), and no other report came: \(why)\(seen)",
                hint: refusal.hint)
        }
        return ProvisioningError(
            .reportMissing,
            "no report of a key came: \(why), looking for "
                + scanner.wanted.joined(separator: ", ") + seen,
            hint:
                "does the firmware print one at its start? reset the board, and look whether this "
                + "is its log, port and baud rate")
    }
}

extension ProvisioningError {
    static func anotherDevice(_ wanted: DeviceID, _ found: DeviceID) -> ProvisioningError {
        ProvisioningError(
            .idMismatch, "device \(wanted) was asked for, device \(found) answers",
            hint: "choose its port with --port and its probe with --probe, or leave --device out")
    }
}
