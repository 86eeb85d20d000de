public import Provisioning

/// OpenOCD's Tcl port: commands and their results, each ended by 0x1A. OpenOCD User's Guide, "Tcl Scripting
/// API", "Tcl RPC server".
///
/// Errors: `.probeUnavailable` when there is no server or it went silent or away; `.probeProtocol` when it
/// breaks the rules. Use it from one thread at a time.
public final class OpenOCDControl {
    public let name: String
    private let channel: StreamChannel
    private let replyTimeout: Duration
    private var received: [UInt8] = []

    /// OpenOCD's `tcl_port` where its configuration names no other.
    public static let standardPort: UInt16 = 6666

    private static let endOfMessage: UInt8 = 0x1A
    /// Bytes of one result: a thousand words of memory, twelve characters each.
    private static let maximumLength = 1 << 16
    private static let hint = "is this OpenOCD's Tcl port? it is \(standardPort) unless configured"

    /// - Parameter replyTimeout: for each answer.
    public static func connect(
        host: String, port: UInt16 = standardPort, within timeout: Duration = .seconds(5),
        replyTimeout: Duration = .seconds(5), interruption: Interruption
    ) throws(ProvisioningError) -> OpenOCDControl {
        do {
            let channel = try StreamChannel.connect(
                host: host, port: port, within: timeout, interruption: interruption)
            return OpenOCDControl(channel, replyTimeout: replyTimeout)
        } catch {
            guard error.code == .channelUnavailable else { throw error }
            throw ProvisioningError(
                .probeUnavailable, error.reason, hint: "is OpenOCD running, with a tcl_port?")
        }
    }

    /// Takes `channel` over.
    package init(_ channel: StreamChannel, replyTimeout: Duration) {
        self.channel = channel
        self.replyTimeout = replyTimeout
        name = "OpenOCD at \(channel.name)"
    }

    /// What a command came to.
    public enum Outcome: Sendable, Hashable {
        case done(String)
        /// With OpenOCD's words, which may be none.
        case failed(String)
    }

    /// Runs one command in the server.
    ///
    /// - Parameter command: Tcl; nothing that came from outside may stand in it.
    public func run(_ command: String) throws(ProvisioningError) -> Outcome {
        // The port gives a result and an error in the same way; and it prefixes neither.
        let request = "list [catch {\(command)} provision_result] $provision_result"
        try onChannel { () throws(ProvisioningError) in
            try channel.write(Array(request.utf8) + [Self.endOfMessage], within: replyTimeout)
        }
        let message = try nextMessage()
        let answer = String(decoding: message, as: UTF8.self)
        guard let space = answer.firstIndex(of: " "), let code = Int(answer[..<space]) else {
            throw violation("it answers \"\(PlainText.sanitized(message.prefix(80)))\"")
        }
        var text = String(answer[answer.index(after: space)...])
        if text.hasPrefix("{"), text.hasSuffix("}") { text = String(text.dropFirst().dropLast()) }
        return code == 0 ? .done(text) : .failed(text)
    }

    /// - Throws: `.probeProtocol` with OpenOCD's words if it fails.
    @discardableResult
    public func require(_ command: String) throws(ProvisioningError) -> String {
        switch try run(command) {
        case .done(let text): return text
        case .failed(let text):
            throw ProvisioningError(
                .probeProtocol,
                "\(name) refused \(command.prefix(80))"
                    + (text.isEmpty ? "" : ": \(PlainText.sanitized(text.utf8.prefix(200)))"),
                hint: "is it version 0.12 or later, and its target examined? see its own log")
        }
    }

    /// Idempotent.
    public func close() { channel.close() }

    private func nextMessage() throws(ProvisioningError) -> [UInt8] {
        let deadline = Deadline(within: replyTimeout)
        while true {
            if let end = received.firstIndex(of: Self.endOfMessage) {
                defer { received.removeSubrange(...end) }
                return Array(received[..<end])
            }
            guard received.count <= Self.maximumLength else {
                throw violation("an answer of more than \(Self.maximumLength) bytes")
            }
            // A server that sends without end would never be found late.
            guard !deadline.isPast else { break }
            let bytes = try onChannel { () throws(ProvisioningError) in
                try channel.read(atMost: 1 << 14, within: deadline.remaining)
            }
            received += bytes
        }
        throw ProvisioningError(
            .probeUnavailable, "\(name) did not answer in \(replyTimeout.brief)", hint: Self.hint)
    }

    private func onChannel<Result>(_ body: () throws(ProvisioningError) -> Result)
        throws(ProvisioningError) -> Result
    {
        do {
            return try body()
        } catch {
            guard error.code == .channelClosed || error.code == .channelUnavailable else {
                throw error
            }
            throw ProvisioningError(.probeUnavailable, error.reason, hint: Self.hint)
        }
    }

    private func violation(_ what: String) -> ProvisioningError {
        ProvisioningError(.probeProtocol, "\(name): \(what)", hint: Self.hint)
    }
}
