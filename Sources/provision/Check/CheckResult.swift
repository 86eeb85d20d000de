import Foundation
import Provisioning

/// What one check came to.
struct CheckResult: Encodable, Sendable {
    enum Outcome: String, Encodable, Sendable {
        case passed, failed, skipped
    }

    /// What was looked at: `"file"`, `"commands"`, `"messages"`, `"board"`, `"channel"`, `"device"`.
    let group: String
    /// What is promised: `"an image arrives whole"`.
    let name: String
    let outcome: Outcome
    /// What was found, or why it failed or was skipped. Empty: nothing more to say.
    let detail: String
    let milliseconds: Int

    var mark: String {
        switch outcome {
        case .passed: "ok"
        case .failed: "FAILED"
        case .skipped: "-"
        }
    }

    static func skipped(_ group: String, _ name: String, _ reason: String) -> CheckResult {
        CheckResult(group: group, name: name, outcome: .skipped, detail: reason, milliseconds: 0)
    }

    /// Runs a check. It fails by throwing.
    ///
    /// - Parameter body: returns what else is to be said.
    static func of(
        _ group: String, _ name: String, _ body: () throws -> String
    ) -> CheckResult {
        let start = ContinuousClock.now
        func result(_ outcome: Outcome, _ detail: String) -> CheckResult {
            CheckResult(
                group: group, name: name, outcome: outcome, detail: detail,
                milliseconds: Int((ContinuousClock.now - start) / .milliseconds(1)))
        }
        do {
            return result(.passed, try body())
        } catch let error as ProvisioningError {
            return result(.failed, "\(error.code.rawValue): \(error.reason)")
        } catch {
            return result(.failed, "\(error)")
        }
    }
}

/// A promise that was not kept.
struct CheckFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// - Throws: `CheckFailure` with `reason` unless `condition` holds.
func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    if !condition { throw CheckFailure(reason()) }
}
