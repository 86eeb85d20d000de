import COSE
import Channels
import Foundation
import Provisioning
import Synchronization

/// A conversation with a board as lines of JSON, to be had again without it.
///
/// The first line says what it is of; then follow, in their order, what the host sent (`to`), what the
/// device sent (`from`) and what the host's dice gave (`random`), in base64.
struct Transcript: Sendable {
    struct Header: Codable, Sendable {
        /// The version of the format.
        let transcript: Int
        let platform: String
        let board: String
        /// Seconds since 1970.
        let now: Int64
        /// The device ID as the probe read it, in hexadecimal.
        var probed: String?
        /// SHA-256 of the image that was flashed before.
        var image: String?
        /// Whether each event of the channel is one datagram. Nil: it is a byte stream, as in every
        /// transcript of an earlier version.
        var datagrams: Bool?
    }

    struct Event: Codable, Sendable, Equatable {
        var to: Data?
        var from: Data?
        var random: Data?
    }

    static let version = 1
    /// Octets of a file.
    private static let limit = 16 << 20

    private(set) var header: Header
    private(set) var events: [Event] = []

    init(_ header: Header) { self.header = header }

    /// - Throws: `.usage` for what is no transcript; `.interrupted`.
    init(path: String, _ interruption: Interruption) throws(ProvisioningError) {
        func invalid(_ reason: String) -> ProvisioningError {
            ProvisioningError(
                .usage, "\(path) is no transcript: \(reason)",
                hint: "make one with provision check --device --record FILE")
        }
        let data: Data
        do {
            data = try Self.read(path, interruption)
        } catch {
            throw error.code == .interrupted ? error : invalid("it can't be read")
        }
        guard data.count <= Self.limit else { throw invalid("it has over \(Self.limit) bytes") }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first,
            let header = try? JSONDecoder().decode(Header.self, from: first),
            header.transcript == Self.version
        else { throw invalid("its first line is not that of version \(Self.version)") }
        self.header = header
        for (number, line) in lines.enumerated().dropFirst() {
            guard let event = try? JSONDecoder().decode(Event.self, from: line) else {
                throw invalid("line \(number + 1)")
            }
            events.append(event)
        }
    }

    /// A pipe, too, whose writer may come late: at most one part more than the limit.
    private static func read(
        _ path: String, _ interruption: Interruption
    ) throws(ProvisioningError) -> Data {
        let log = try LogInput(path: path, skips: false, interruption: interruption)
        defer { log.close() }
        var data = Data()
        while data.count <= limit {
            do {
                data += try log.read(atMost: 1 << 16, within: .seconds(60))
            } catch {
                guard error.code == .channelClosed else { throw error }
                break
            }
        }
        return data
    }

    mutating func append(_ event: Event) { events.append(event) }

    /// What is known of a channel once it is open.
    mutating func note(_ channel: any Channel) {
        header.datagrams = channel.carriesDatagrams ? true : nil
    }

    func text() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(header) + [UInt8(ascii: "\n")]
        for event in events { data += try encoder.encode(event) + [UInt8(ascii: "\n")] }
        return data
    }
}

/// Writes down what goes through it.
final class RecordingChannel: Channel {
    var name: String { inner.name }
    var carriesDatagrams: Bool { inner.carriesDatagrams }
    private let inner: any Channel
    private let add: (Transcript.Event) -> Void

    init(_ inner: any Channel, add: @escaping (Transcript.Event) -> Void) {
        self.inner = inner
        self.add = add
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        let bytes = try inner.read(atMost: limit, within: timeout)
        if !bytes.isEmpty { add(.init(from: Data(bytes))) }
        return bytes
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try inner.write(bytes, within: timeout)
        add(.init(to: Data(bytes)))
    }

    func close() { inner.close() }
}

/// A device that says what it said when it was recorded, as long as the host says what it said.
final class ReplayedChannel: Channel {
    let name: String
    let carriesDatagrams: Bool
    private var events: [Transcript.Event]
    private var position = 0
    /// Of the event at `position`.
    private var offset = 0

    init(_ transcript: Transcript) {
        name = "the transcript of \(transcript.header.platform)"
        carriesDatagrams = transcript.header.datagrams ?? false
        events = transcript.events.filter { $0.random == nil }
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        guard position < events.count else {
            throw ProvisioningError(.channelClosed, "\(name) is at its end")
        }
        guard let data = events[position].from else {
            // Silence, as it was: the host asked again.
            Thread.sleep(forTimeInterval: min(timeout, .seconds(5)) / .seconds(1))
            return []
        }
        let bytes = Array(data.dropFirst(offset).prefix(limit))
        advance(by: bytes.count, of: data.count)
        return bytes
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        // What the device said before, and nobody waited for, is read behind.
        var rest = bytes[...]
        var skipped: [Transcript.Event] = []
        while !rest.isEmpty {
            guard position < events.count else { throw changed(bytes) }
            guard let data = events[position].to else {
                guard let from = events[position].from else { throw changed(bytes) }
                skipped.append(.init(from: from.dropFirst(offset)))
                advance(by: from.count - offset, of: from.count)
                continue
            }
            let expected = data.dropFirst(offset).prefix(rest.count)
            guard rest.starts(with: expected) else { throw changed(bytes) }
            rest = rest.dropFirst(expected.count)
            advance(by: expected.count, of: data.count)
        }
        events.insert(contentsOf: skipped, at: position)
    }

    func close() {}

    private func advance(by count: Int, of total: Int) {
        offset += count
        guard offset >= total else { return }
        offset = 0
        position += 1
    }

    private func changed(_ bytes: [UInt8]) -> ProvisioningError {
        ProvisioningError(
            .protocolViolation,
            "this program sends something else than when \(name) was recorded",
            hint: "record it again: provision check --device --record FILE")
    }
}
