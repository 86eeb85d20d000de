internal import Attestation

/// What a device prints and this host only reads: a channel of a program's output or of a file.
///
/// Implementers: `write` throws; a log that has come to its end throws `.channelClosed` from `read`.
public protocol DeviceLog: Channel {
    /// Whether it is a file that does not grow: it is read to its end then, however long that takes.
    var isFile: Bool { get }
}

/// Watches a log on after its report was registered: does the device, once it starts again, still have
/// its key? The log of a board that stores nothing tells only then.
public struct KeyWatch: Sendable {
    private let registered: AttestationResult
    private let format: ReportFormat
    private var scanner: ReportScanner
    private var hasWarned = false

    init(_ registered: AttestationResult, _ format: ReportFormat) {
        self.registered = registered
        self.format = format
        scanner = ReportScanner(formats: [format])
    }

    /// - Returns: what is to be said, once, when the device reports another key than the registered one.
    public mutating func push(_ bytes: [UInt8]) -> ProvisioningError? {
        let findings = scanner.push(bytes)
        guard !hasWarned else { return nil }
        for case .report(let report) in findings {
            let expectation = ReportExpectation(
                board: registered.identity.board,
                // Where the line names none, the log is this device's.
                probedID: report.deviceID == nil ? registered.identity.id : nil)
            guard let result = try? Verifier.appraise(report: report, against: expectation),
                result.identity == registered.identity, !result.hasSameKey(as: registered)
            else { continue }
            hasWarned = true
            return .volatileKey(result, after: registered)
        }
        return nil
    }
}

extension AttestationResult {
    /// x names a key, whether its y is known or not.
    func hasSameKey(as other: AttestationResult) -> Bool {
        guard key.isXOnly != other.key.isXOnly else { return publicKey == other.publicKey }
        let (x, point) =
            key.isXOnly ? (publicKey, other.publicKey) : (other.publicKey, publicKey)
        return point.dropFirst().starts(with: x)
    }
}

extension ProvisioningError {
    static func volatileKey(
        _ new: AttestationResult, after old: AttestationResult
    ) -> ProvisioningError {
        ProvisioningError(
            .volatileKey,
            "\(new.identity) reports key \(new.thumbprint.hexadecimal) after "
                + old.thumbprint.hexadecimal,
            hint:
                "does its firmware store its key, or are two boards on one log? if it was flashed "
                + "in between, say --replace-key: the last one counts")
    }
}
