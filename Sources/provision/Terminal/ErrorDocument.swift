import Channels
import Foundation
import Provisioning

/// What `--json` prints in the place of a result, whichever command it is that ends without one.
struct ErrorDocument: Encodable, Sendable {
    /// An error in a document, with what a terminal shows of it.
    struct Failure: Encodable, Sendable {
        let code: String
        let reason: String
        let hint: String?

        init(_ error: ProvisioningError) {
            code = error.code.rawValue
            reason = Terminal.shortened(error.reason)
            hint = error.hint.map(Terminal.shortened)
        }
    }

    let error: Failure

    init(_ error: ProvisioningError) { self.error = Failure(error) }

    /// Whether the user asked for a document, also where the arguments can't be understood otherwise.
    static func isAsked(in arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains("--json")
    }

    /// Has a signal that ends this process print it, as long as nothing else was.
    static func printsOnSignals() {
        guard let document = try? JSONDocument.encode(ErrorDocument(.interruptedByUser)) else {
            return
        }
        Interruption.writesOnSignals(String(decoding: document, as: UTF8.self))
    }

    /// Nothing behind a result, or a part of one: it would be a second document.
    static func print(_ error: ProvisioningError) {
        guard !Terminal.hasResult else { return }
        try? JSONDocument.print(ErrorDocument(error))
    }
}
