import PlatformAdapter
import Provisioning

/// What an adapter does wrong, or refuses, as the run tells it.
extension AdapterSession {
    var hint: String { "provision check \(name) shows what it does wrong" }

    func violation(_ what: String) -> ProvisioningError {
        ProvisioningError(.adapterProtocol, "\(name) \(what)", hint: hint)
    }

    func closed(_ reason: String) -> ProvisioningError {
        ProvisioningError(
            .channelClosed, "\(name): \(reason)", hint: "is the board still attached, and running?")
    }

    /// A line that is no message.
    func unreadable(_ line: [UInt8], _ fault: AdapterMessage.Fault) -> ProvisioningError {
        let start = PlainText.sanitized(line.prefix(60))
        let dots = line.count > 60 ? "…" : ""
        switch fault {
        case .tooDeep:
            return ProvisioningError(.answerTooDeep, "a line of \(name) is \(fault)", hint: hint)
        case .notUTF8, .notAnObject:
            return ProvisioningError(
                .adapterProtocol, "\(name) sends \"\(start)\(dots)\": \(fault)",
                hint: "its standard output is for the protocol's lines, and nothing else")
        case .wrongType:
            return violation("sends \"\(start)\(dots)\": \(fault)")
        }
    }

    /// What a refusal means for the run.
    func refusal(_ answer: AdapterMessage, _ request: String) -> ProvisioningError {
        guard let failure = answer.error.flatMap(AdapterFailure.init) else {
            let word = PlainText.sanitized((answer.error ?? "").utf8.prefix(40))
            return violation(
                "refuses \"\(request)\" with \"\(word)\", which is no error of its list")
        }
        let reason = Self.text(answer.reason, atMost: 1000) ?? failure.rawValue
        let advice = Self.text(answer.hint, atMost: 400)
        if failure == .version {
            let known = (answer.versions ?? []).prefix(8).map(String.init).joined(separator: ", ")
            return ProvisioningError(
                failure.code,
                known.isEmpty
                    ? "\(name) refuses version \(AdapterProtocol.version), and names none that it speaks"
                    : "\(name) speaks version \(known), this program \(AdapterProtocol.version)",
                hint: "update the adapter, or this program")
        }
        return ProvisioningError(
            failure.code, "\(name): \(reason)",
            hint: advice ?? "the adapter could not do \"\(request)\": its log is shown with -v")
    }

    /// What an adapter says to people; nil where that is nothing.
    private static func text(_ text: String?, atMost length: Int) -> String? {
        let text = PlainText.sanitized((text ?? "").utf8.prefix(length))
        return text.isEmpty ? nil : text
    }
}
