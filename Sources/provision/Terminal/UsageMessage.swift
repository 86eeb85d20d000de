import Foundation
import Provisioning

/// What ArgumentParser says of wrong usage, as an error like all others with the usage behind it.
struct UsageMessage {
    let error: ProvisioningError
    /// What the option is for, and which there are: whole lines.
    let synopsis: String

    /// - Parameters:
    ///   - message: what is wrong.
    ///   - text: the same, with ArgumentParser's own words around it.
    init(_ message: String, in text: String) {
        let start = text.range(of: message, options: .literal)?.upperBound ?? text.startIndex
        let lines = text[start...].split(separator: "\n")
        let pointer = "  See '"
        let help = lines.last { $0.hasPrefix(pointer) }?.dropFirst(pointer.count)
            .prefix { $0 != "'" }
        error = ProvisioningError(.usage, message, hint: help.map { "see \($0)" })
        synopsis = lines.filter { !$0.hasPrefix(pointer) }.map { $0 + "\n" }.joined()
    }
}
