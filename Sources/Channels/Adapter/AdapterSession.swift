import Foundation
public import PlatformAdapter
public import Provisioning

/// The host's end of a conversation with an adapter: one request at a time, each with its answer.
///
/// Whatever the adapter sends, each call ends: by its time-out, by what a line may be, and by what may wait
/// to be read.
public final class AdapterSession {
    public var name: String { transport.name }
    private let transport: any AdapterTransport
    private var grease: AdapterGrease
    private let timeouts: Timeouts
    private var lastID = 0
    /// Requests that were given up. Their answers may still come.
    private var abandoned: Set<Int> = []
    private var strayCount = 0
    private var lineCount = 0

    /// Bytes of the device that nobody has read yet.
    private var waiting: [UInt8] = []
    private var waitingStart = 0
    private var isOpen = false
    /// Why the device is there no more.
    private var gone: String?
    public private(set) var abilities: Set<AdapterAbility> = []
    private var isGreeted = false
    private var hasSaidBye = false
    private var hasEnded = false

    /// How long an adapter may take.
    public struct Timeouts: Sendable {
        /// For the answer to hello, with the start of its program.
        public var start: Duration = .seconds(10)
        /// For whatever needs no board.
        public var answer: Duration = .seconds(5)
        public var flash: Duration = .seconds(120)
        /// For what a probe does.
        public var probe: Duration = .seconds(5)
        /// Until the device's channel is open.
        public var connect: Duration = .seconds(5)

        public init() {}
    }

    /// Messages that answer nothing. More are a flood.
    private static let maximumStrayCount = 64
    /// Bytes of a device that wait while the adapter does something else.
    private static let maximumWaitingLength = 4 << 20
    /// Lines before an answer, progress and data included.
    private static let maximumLineCount = 100_000

    public init(
        _ transport: any AdapterTransport, grease: AdapterGrease = AdapterGrease(),
        timeouts: Timeouts = Timeouts()
    ) {
        self.transport = transport
        self.grease = grease
        self.timeouts = timeouts
    }

    deinit { end() }

    // MARK: Requests

    /// Which board the user means.
    public struct Selection: Sendable, Hashable {
        /// Folder of a simulated board, in the place of any other.
        public var simulated: String?
        public var port: String?
        public var probe: String?
        public var probeSerial: String?
        public var usbSerial: String?

        public init() {}

        fileprivate var fields: [AdapterLine.Field] {
            [
                ("simulated", simulated), ("port", port), ("probe", probe),
                ("probe-serial", probeSerial), ("usb-serial", usbSerial),
            ].compactMap { key, value in value.map { AdapterLine.Field(key, .text($0)) } }
        }
    }

    /// The first request.
    ///
    /// - Returns: what the adapter says of its platform; nil: nothing.
    /// - Throws: `.versionUnsupported`.
    public func hello(_ selection: Selection = Selection()) throws(ProvisioningError)
        -> AdapterValue?
    {
        let versions = AdapterLine.Field("versions", .integers(grease.versions()))
        let answer = try call(
            .hello, [versions] + selection.fields, within: timeouts.start, isGreased: false)
        guard answer.version == AdapterProtocol.version else {
            throw ProvisioningError(
                .versionUnsupported,
                (answer.version.map { "\(name) speaks version \($0), this " }
                    ?? "\(name) answers hello without a \"version\", this ")
                    + "program speaks \(AdapterProtocol.version)",
                hint: "update the adapter, or this program")
        }
        isGreeted = true
        abilities = Set((answer.can ?? []).compactMap(AdapterAbility.init))
        return answer.platform
    }

    /// Bytes. No chip has as many.
    private static let maximumImageLength = 1 << 32

    /// - Returns: bytes that were written, and whether they were read back, as far as the adapter says.
    func flash(
        _ image: String, erasing: Bool, progress: (Int, Int) -> Void
    ) throws(ProvisioningError) -> (byteCount: Int?, isVerified: Bool) {
        let answer = try call(
            .flash, [.init("image", .text(image)), .init("erase", .flag(erasing))],
            within: timeouts.flash, progress: progress)
        if let count = answer.bytes, !(0...Self.maximumImageLength).contains(count) {
            throw violation("says that it has written \(count) bytes")
        }
        return (answer.bytes, answer.verified ?? false)
    }

    /// The device ID in hexadecimal, as the adapter spells it.
    func identify() throws(ProvisioningError) -> String {
        guard let text = try call(.identify, within: timeouts.probe).device else {
            throw violation("answers identify without a \"device\"")
        }
        return text
    }

    /// - Parameter timeout: nil: as long as any connection may take.
    func open(isFlashed: Bool, within timeout: Duration?) throws(ProvisioningError) {
        waiting = []
        waitingStart = 0
        gone = nil
        isOpen = true
        do {
            _ = try call(
                .open, [.init("flashed", .flag(isFlashed))], within: timeout ?? timeouts.connect)
        } catch {
            isOpen = false
            throw error
        }
    }

    public func reset() throws(ProvisioningError) { _ = try call(.reset, within: timeouts.probe) }

    /// The device's bytes: some that wait, or those that come first.
    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        lineCount = 0
        while true {
            guard isOpen else { throw closed("it was closed before") }
            let count = min(limit, waiting.count - waitingStart)
            if count > 0 {
                let bytes = Array(waiting[waitingStart..<waitingStart + count])
                waitingStart += count
                if waitingStart == waiting.count {
                    waiting.removeAll(keepingCapacity: true)
                    waitingStart = 0
                }
                return bytes
            }
            if let gone { throw closed(gone) }
            guard let line = try transport.receive(within: deadline.remaining) else { return [] }
            if let answer = try take(line) { try takeStray(answer) }
            if deadline.isPast, waitingStart == waiting.count { return [] }
        }
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        var sent = 0
        while sent < bytes.count {
            guard isOpen else { throw closed("it was closed before") }
            if let gone { throw closed(gone) }
            let part = bytes[sent..<min(bytes.count, sent + AdapterProtocol.maximumDataLength)]
            do throws(ProvisioningError) {
                _ = try call(
                    .write, [.init("data", .text(Data(part).base64EncodedString()))],
                    within: deadline.remaining)
            } catch {
                if error.code == .channelClosed, gone == nil { gone = error.reason }
                guard error.code == .adapterSilent else { throw error }
                throw ProvisioningError(
                    .channelUnavailable,
                    "\(name) took \(sent) of \(bytes.count) bytes in \(timeout.brief)",
                    hint: "is the device running?")
            }
            sent += part.count
        }
    }

    /// Idempotent.
    func close() {
        guard isOpen else { return }
        _ = try? call(.close, within: .seconds(1), isGreased: false)
        isOpen = false
        waiting = []
        waitingStart = 0
    }

    /// Says goodbye to an adapter that listens, and ends it. Idempotent.
    public func end() {
        guard !hasEnded else { return }
        hasEnded = true
        // One that owes an answer would be waited for in vain.
        if isGreeted, !hasSaidBye, abandoned.isEmpty {
            _ = try? call(.bye, within: AdapterProcess.grace, isGreased: false)
        }
        isOpen = false
        transport.end()
    }

    /// The last request; a well-behaved adapter ends by itself behind its answer.
    public func bye() throws(ProvisioningError) {
        hasSaidBye = true
        _ = try call(.bye, within: timeouts.answer, isGreased: false)
    }

    // MARK: Messages

    /// Sends a request and waits for its answer.
    public func call(
        _ request: AdapterRequest, _ fields: [AdapterLine.Field] = [], within timeout: Duration,
        isGreased: Bool = true, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(ProvisioningError) -> AdapterMessage {
        // Not between the parts of what a device is sent: that costs a turn.
        if isGreased, request != .write, let word = grease.request() { try ask(unknown: word) }
        let answer = try exchange(
            request.rawValue, grease.mixed(fields), within: timeout, progress: progress)
        if answer.ok == true { return answer }
        throw refusal(answer, request.rawValue)
    }

    /// Sends a request that no adapter knows.
    ///
    /// - Throws: `.adapterProtocol` unless the adapter says so.
    public func ask(unknown word: String) throws(ProvisioningError) {
        let answer = try exchange(word, grease.mixed([]), within: timeouts.answer) { _, _ in }
        guard answer.ok == false, answer.error == AdapterFailure.unknown.rawValue else {
            throw violation(
                "answers the unknown request \"\(word)\" with \"\(answer.error ?? "ok")\", not "
                    + "\"\(AdapterFailure.unknown.rawValue)\"")
        }
    }

    private func exchange(
        _ request: String, _ fields: [AdapterLine.Field], within timeout: Duration,
        progress: (Int, Int) -> Void
    ) throws(ProvisioningError) -> AdapterMessage {
        lastID += 1
        let id = lastID
        lineCount = 0
        let deadline = Deadline(within: timeout)
        abandoned.insert(id)
        do throws(ProvisioningError) {
            try transport.send(AdapterLine(id: id, request, fields).bytes, within: timeout)
        } catch {
            // Half a line may be in the pipe: the next one would not be understood.
            if error.code == .adapterSilent { gone = gone ?? "the adapter takes no requests" }
            throw error
        }
        while let line = try transport.receive(within: deadline.remaining) {
            if let message = try take(line) {
                if message.id == id, message.ok != nil {
                    abandoned.remove(id)
                    return message
                } else if message.id == id, let done = message.progress {
                    progress(max(0, done), max(0, message.of ?? 0))
                } else {
                    try takeStray(message)
                }
            }
            if deadline.isPast { break }
        }
        throw ProvisioningError(
            .adapterSilent, "\(name) does not answer \"\(request)\" in \(timeout.brief)",
            hint: hint)
    }

    /// What belongs to no request is done with here.
    ///
    /// - Returns: a message that is an answer, or may be one.
    private func take(_ line: [UInt8]) throws(ProvisioningError) -> AdapterMessage? {
        lineCount += 1
        guard lineCount <= Self.maximumLineCount else {
            throw ProvisioningError(
                .frameFlood, "\(name) sends lines without end, and no answer",
                hint: hint)
        }
        let message: AdapterMessage
        do throws(AdapterMessage.Fault) {
            message = try AdapterMessage(parsing: line)
        } catch {
            throw unreadable(line, error)
        }
        if let data = message.data, message.id == nil {
            try takeData(data)
            return nil
        }
        if let reason = message.gone, message.id == nil {
            if isOpen { gone = gone ?? PlainText.sanitized(reason.utf8.prefix(200)) }
            return nil
        }
        return message
    }

    private func takeData(_ text: String) throws(ProvisioningError) {
        guard isOpen else { throw violation("sends a device's data, and no channel is open") }
        guard let bytes = Data(base64Encoded: text) else {
            throw violation("sends data that is not base64")
        }
        guard waiting.count - waitingStart + bytes.count <= Self.maximumWaitingLength else {
            throw ProvisioningError(
                .byteFlood,
                "\(name) sends over \(Self.maximumWaitingLength) bytes of the device, and no answer",
                hint: "see what the device sends with provision attach")
        }
        waiting += bytes
    }

    /// A message that answers nothing which was asked now.
    private func takeStray(_ message: AdapterMessage) throws(ProvisioningError) {
        strayCount += 1
        guard strayCount <= Self.maximumStrayCount else {
            throw ProvisioningError(
                .frameFlood, "\(name) sends message after message that answers nothing",
                hint: hint)
        }
        if let request = message.request {
            // A later version's adapter may ask for something.
            let fields =
                [AdapterLine.Field("id", .integer(message.id ?? 0))]
                + [
                    .init("ok", .flag(false)),
                    .init("error", .text(AdapterFailure.unknown.rawValue)),
                ]
                + [.init("reason", .text("\"\(request.prefix(40))\" is not known"))]
            return try transport.send(AdapterLine(fields).bytes, within: timeouts.answer)
        }
        guard let id = message.id else { return }
        if abandoned.contains(id) {
            if message.ok != nil { abandoned.remove(id) }
            return
        }
        throw ProvisioningError(
            .answerUnrelated, "\(name) answers request \(id), and that is not the open one",
            hint: "each request has one answer, with its \"id\"")
    }
}
