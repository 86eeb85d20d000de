internal import COpenSSL

/// What libcrypto refused, and the reason that it left in its error queue.
public struct OpenSSLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done, in the words of this project: `"import the public key"`.
    public let operation: String
    /// libcrypto's own words, e.g. `"point is not on curve"`; empty where it left none.
    public let reason: String

    public init(_ operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    public var description: String {
        reason.isEmpty ? "could not \(operation)" : "could not \(operation): \(reason)"
    }

    /// Takes the most recent entry of this thread's error queue, and empties the queue.
    static func last(_ operation: String) -> OpenSSLError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else {
            return OpenSSLError(operation, reason: "")
        }
        return OpenSSLError(operation, reason: String(cString: reason))
    }
}
