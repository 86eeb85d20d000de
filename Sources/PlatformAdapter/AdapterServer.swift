import Foundation
public import Provisioning

/// The adapter's end of the line protocol: reads requests on standard input, has the board do them, and
/// answers on standard output.
///
///     AdapterServer(platform: ["board": .text("teapot")]) { selection, progress in
///         AdapterBoard { isFlashed in try TeapotChannel(selection.port) }
///     }.run()
public final class AdapterServer {
    /// Bytes that are written, of how many.
    public typealias Progress = (_ done: Int, _ total: Int) -> Void

    private let platform: [AdapterLine.Field]
    private let makeBoard:
        (BoardSelection, @escaping Progress) throws(ProvisioningError) -> AdapterBoard
    private let input: Int32
    private let output: Int32
    private var splitter = AdapterLineSplitter()
    private var board: AdapterBoard?
    private var channel: (any Channel)?
    /// Whether the device was said to have left.
    private var isGone = false
    private var lastID = 0
    private var isDone = false

    /// How long the channel is read before requests are looked for.
    private static let turn = Duration.milliseconds(1)
    /// For the device to take a part of what the host writes. An adapter is told no time-outs: the host's own, `write`,
    /// ends what takes longer.
    private static let writeTimeout = Duration.seconds(2)
    /// Octets. Less than any kernel's buffer, so that no two ends wait for each other.
    private static let partLength = 256

    /// - Parameters:
    ///   - platform: the keys of a platform file but "name": that is the program's.
    ///   - makeBoard: called once, with the host's hello. `progress` is for the flasher.
    public init(
        platform: [(key: String, value: AdapterLine.Value)], input: Int32 = 0, output: Int32 = 1,
        makeBoard:
            @escaping (BoardSelection, @escaping Progress) throws(ProvisioningError) ->
            AdapterBoard
    ) {
        self.platform = platform.map { AdapterLine.Field($0.key, $0.value) }
        self.input = input
        self.output = output
        self.makeBoard = makeBoard
    }

    /// Serves until the host says goodbye, or is gone.
    public func run() {
        signal(SIGPIPE, SIG_IGN)
        while !isDone {
            let hasInput = waitForInput(channel == nil || isGone ? -1 : 0)
            if hasInput { readInput() }
            if !isDone, !isGone, let channel { relay(channel) }
        }
        channel?.close()
    }

    private func waitForInput(_ milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    private func readInput() {
        var buffer = [UInt8](repeating: 0, count: AdapterProtocol.maximumLineLength)
        let count = read(input, &buffer, buffer.count)
        guard count > 0 else {
            isDone = count == 0 || (errno != EINTR && errno != EAGAIN)
            return
        }
        for part in splitter.push(buffer[..<count]) where !isDone {
            switch part {
            case .line(let line): take(line)
            case .oversized: refuse(0, .malformed, "a line is too long")
            }
        }
    }

    private func relay(_ channel: any Channel) {
        do throws(ProvisioningError) {
            let bytes = try channel.read(
                atMost: AdapterProtocol.maximumDataLength, within: Self.turn)
            guard !bytes.isEmpty else { return }
            say([.init("data", .text(Data(bytes).base64EncodedString()))])
        } catch {
            isGone = true
            say([.init("gone", .text(error.reason))])
        }
    }

    // MARK: Requests

    private func take(_ line: [UInt8]) {
        let message: AdapterMessage
        do throws(AdapterMessage.Fault) {
            message = try AdapterMessage(parsing: line)
        } catch {
            return refuse(0, .malformed, "a line is no message: \(error)")
        }
        // An answer: this adapter has asked nothing.
        guard message.request != nil || message.ok == nil else { return }
        guard let name = message.request, let id = message.id, id > 0 else {
            return refuse(0, .malformed, "a request has an id and a name")
        }
        guard id > lastID else { return refuse(id, .repeated, "request \(id) was there before") }
        lastID = id
        guard let request = AdapterRequest(rawValue: name) else {
            return refuse(id, .unknown, "\(name) is not known")
        }
        do {
            let fields = try perform(request, message)
            say([.init("id", .integer(id)), .init("ok", .flag(true))] + fields)
        } catch let refusal as Refusal {
            refuse(id, refusal.failure, refusal.reason)
        } catch let error as ProvisioningError {
            refuse(id, AdapterFailure(error.code), error.reason, hint: error.hint)
        } catch {
            refuse(id, .failed, "\(error)")
        }
    }

    private struct Refusal: Error {
        let failure: AdapterFailure
        let reason: String
    }

    private func perform(_ request: AdapterRequest, _ message: AdapterMessage) throws
        -> [AdapterLine.Field]
    {
        switch request {
        case .hello: return try hello(message)
        case .bye:
            isDone = true
            return []
        default: break
        }
        guard let board else { throw Refusal(failure: .malformed, reason: "hello comes first") }
        func needed<Value>(_ value: Value?, _ key: String) throws(Refusal) -> Value {
            guard let value else {
                throw Refusal(
                    failure: .malformed, reason: "\"\(request.rawValue)\" needs \"\(key)\"")
            }
            return value
        }
        func able<Part>(_ part: Part?) throws(Refusal) -> Part {
            guard let part else {
                throw Refusal(
                    failure: .unsupported, reason: "this board has no \"\(request.rawValue)\"")
            }
            return part
        }
        switch request {
        case .flash:
            let image = FirmwareImage(path: try needed(message.image, "image"))
            let erases = try needed(message.erase, "erase")
            let receipt = try able(board.flasher).flash(image, erasing: erases)
            return (receipt.byteCount.map { [.init("bytes", .integer($0))] } ?? [])
                + [.init("verified", .flag(receipt.isVerified))]
        case .identify:
            let id = try able(board.idReader).readDeviceID()
            return [.init("device", .text("\(id)"))]
        case .open:
            channel?.close()
            channel = nil
            channel = try board.openChannel(try needed(message.flashed, "flashed"))
            isGone = false
        case .write: try write(needed(message.data, "data"))
        case .reset: try able(board.reset)()
        case .close:
            channel?.close()
            channel = nil
        case .hello, .bye: break
        }
        return []
    }

    private func hello(_ message: AdapterMessage) throws -> [AdapterLine.Field] {
        guard let versions = message.versions else {
            throw Refusal(failure: .malformed, reason: "\"hello\" needs \"versions\"")
        }
        guard versions.contains(AdapterProtocol.version) else {
            throw Refusal(
                failure: .version,
                reason: "this adapter speaks version \(AdapterProtocol.version)")
        }
        let id = message.id ?? 0
        let board = try makeBoard(
            BoardSelection(
                simulated: message.simulated, port: message.port, probe: message.probe,
                probeSerial: message.probeSerial, usbSerial: message.usbSerial)
        ) { [weak self] done, total in
            guard let self else { return }
            say([
                .init("id", .integer(max(id, lastID))), .init("progress", .integer(done)),
                .init("of", .integer(total)),
            ])
        }
        self.board = board
        return [
            .init("version", .integer(AdapterProtocol.version)),
            .init("can", .texts(board.abilities.map(\.rawValue))),
            .init("platform", .object(platform)),
        ]
    }

    private func write(_ text: String) throws {
        guard let channel, !isGone else {
            throw Refusal(failure: .channelClosed, reason: "no channel is open")
        }
        guard let data = Data(base64Encoded: text) else {
            throw Refusal(failure: .malformed, reason: "the data is not base64")
        }
        // In parts, and what the device says between them: it may wait until somebody hears it.
        var rest = Array(data)[...]
        while !rest.isEmpty, !isGone {
            let part = Array(
                channel.carriesDatagrams ? rest : rest.prefix(Self.partLength))
            try channel.write(part, within: Self.writeTimeout)
            rest = rest.dropFirst(part.count)
            if !rest.isEmpty { relay(channel) }
        }
    }

    // MARK: Lines

    private func refuse(
        _ id: Int, _ failure: AdapterFailure, _ reason: String, hint: String? = nil
    ) {
        var fields: [AdapterLine.Field] = [
            .init("id", .integer(id)), .init("ok", .flag(false)),
            .init("error", .text(failure.rawValue)), .init("reason", .text(reason)),
        ]
        if let hint { fields.append(.init("hint", .text(hint))) }
        if failure == .version {
            fields.append(.init("versions", .integers([AdapterProtocol.version])))
        }
        say(fields)
    }

    private func say(_ fields: [AdapterLine.Field]) {
        var rest = AdapterLine(fields).bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.write(output, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // Nobody listens any more.
                isDone = true
                return
            }
        }
    }
}
