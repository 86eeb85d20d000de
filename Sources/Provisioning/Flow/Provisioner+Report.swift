public import Attestation
public import Issuance

/// What a finished run knows about a device that only reports.
public struct ReportOutcome {
    public let format: ReportFormat
    public let registration: Registration
    /// Those of the plan's types: for somebody else's use, the device gets none.
    public let credentials: [Credential]
    public let receipt: FlashReceipt?
    /// What the user has to know, and what is no error: a key that seems to change.
    public let warnings: [ProvisioningError]
    /// Watches `log` on.
    public let watch: KeyWatch
    /// Still open, for the console; it may be at its end.
    public let log: any Channel
}

extension Provisioner {
    /// For a device that only prints: flash, wait for the line that reports its key, appraise, register;
    /// the caller attaches. Nothing is sent to the device, so that it can't confirm anything: its key is
    /// active with its registration, and the report stands in the record as its confirmation.
    ///
    /// A report that was kept from an earlier boot looks like a new one. Where the same key is registered
    /// already, it changes nothing; a key that was revoked meanwhile is refused.
    ///
    /// - Throws: as `provision()`; besides, `.reportMissing`, `.idMissing`, `.volatileKey` and
    ///   `.keyIncomplete`.
    public func registerReport() throws(ProvisioningError) -> ReportOutcome {
        // A flash tool that prints the log keeps the probe.
        let probedID = try identify()
        let receipt = try flash()
        let log = try openChannel()
        do throws(ProvisioningError) {
            observer.began(.evidence)
            let found = try awaitReport(on: log, probedID: probedID)
            if let receipt { try flasher?.check(plan.image, is: receipt) }
            observer.ended(.evidence, "\(log.name) has a report: \(found.format.title)")
            let result = found.result
            observer.began(.appraise)
            observer.ended(.appraise, summary(of: result))
            try checkIssuance(for: result)
            let registration = try register(
                result, keyID: plan.keyID ?? Self.firstKeyID, isImported: false, receipt: receipt,
                recentKeyLimit: plan.erases || plan.replacesKey ? nil : Self.recentKeyLimit)
            let credentials = plan.credentials.isEmpty ? [] : try issue(for: registration)
            // Nobody can ask it for more. The record shows that the report is all that it rests on.
            try registry.activate(
                registration.thumbprint, confirmation: result.evidence, at: surroundings.now())
            return ReportOutcome(
                format: found.format, registration: registration, credentials: credentials,
                receipt: receipt, warnings: warnings(about: registration),
                watch: KeyWatch(result, found.format), log: log)
        } catch {
            log.close()
            throw error
        }
    }

    /// How many keys of one device and image are taken for a board that its owner erases, within a day.
    private static var recentKeyLimit: Int { 8 }
    /// From how many on they are mentioned: one key, and one that came with another flashing.
    private static var remarkableKeyCount: Int { 3 }

    /// How long a log has to be silent before what it said so far is all that it says. No time-out, as the next:
    /// the report is there, and nothing fails when they are over.
    private static var silence: Duration { .milliseconds(20) }
    /// How long it is listened to after a report, silent or not.
    private static var patience: Duration { .milliseconds(500) }
    /// Bytes.
    private static var readLimit: Int { 1 << 16 }

    /// Reads until there is a report, and then what the log holds already: it may tell of more devices, or
    /// of more keys.
    private func awaitReport(on log: any Channel, probedID: DeviceID?) throws(ProvisioningError)
        -> ReportSearch.Found
    {
        var search = ReportSearch(plan, probedID: probedID) { observer.noted($0) }
        let isFile = (log as? any DeviceLog)?.isFile ?? false
        let clock = ContinuousClock()
        var end = clock.now + plan.deadlines.report
        var isFound = false
        while isFile || clock.now < end {
            let bytes: [UInt8]
            do throws(ProvisioningError) {
                let timeout = end - clock.now
                bytes = try log.read(
                    atMost: Self.readLimit, within: isFound ? min(timeout, Self.silence) : timeout)
            } catch {
                // A board that is unplugged is not done; what has said all of it is.
                let isAtItsEnd = error.code == .channelClosed && log is any DeviceLog
                guard isAtItsEnd || (isFound && error.code != .interrupted) else { throw error }
                search.finish()
                return try search.decision("\(log.name) has ended")
            }
            if bytes.isEmpty, isFound { break }
            observer.logged(bytes)
            search.push(bytes)
            if !isFound, !search.found.isEmpty {
                isFound = true
                end = min(end, clock.now + Self.patience)
            }
        }
        if !isFound { search.finish() }
        return try search.decision("\(plan.deadlines.report.brief) are over on \(log.name)")
    }

    private func summary(of result: AttestationResult) -> String {
        let name = "the key \(result.thumbprint.prefix(4).hexadecimal)…"
        return
            (result.isPossessionProven
            ? "\(name) signed the report" : "\(name) is reported, not proven: nobody signed it")
            + (result.isProbeBound ? "; the ID is what the probe read" : "")
    }

    private func warnings(about registration: Registration) -> [ProvisioningError] {
        let count = registration.record.recentKeyCount
        guard count >= Self.remarkableKeyCount else { return [] }
        return [
            ProvisioningError(
                .volatileKey,
                "this is the \(count)th key of \(registration.identity) with the same image within "
                    + "a day",
                hint:
                    "does its firmware store its key? from the \(Self.recentKeyLimit + 1)th on they "
                    + "are refused")
        ]
    }
}

extension Duration {
    /// Seconds.
    fileprivate var brief: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? "\(seconds) s" : "\(seconds * 1000 + milliseconds) ms"
    }
}
