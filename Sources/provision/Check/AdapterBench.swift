import Channels
import Foundation
import PlatformAdapter
import Provisioning
import ProvisioningTesting
import Synchronization

/// An adapter and a simulated board, made anew for each check.
final class AdapterBench {
    let process: AdapterProcess
    let board: BoardFolder
    let folder: URL
    /// Images that the board took, and whether its keys were erased.
    let images: ImageLog
    static let deviceID = "1f0c5a9922ee4b07"

    /// Longer than whatever an adapter does here, also on a computer that has other work.
    static let patience = Duration.seconds(20)

    /// - Parameter change: what the board does else than take images.
    init(
        _ program: AdapterProgram, _ interruption: Interruption,
        _ change: (inout BoardFolder.Behaviour) -> Void = { _ in }
    ) throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "provision-check-\(UUID().uuidString.prefix(8))")
        let place = folder.appending(path: "board")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let images = ImageLog()
        self.images = images
        var behaviour = BoardFolder.Behaviour()
        behaviour.flashed = images.append
        change(&behaviour)
        do {
            board = try BoardFolder(in: place.path, id: Self.deviceID, behaviour)
            process = try AdapterProcess(program, interruption: interruption) { _ in }
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// - Parameter closesConsole: nobody else uses the board's end of it.
    func end(closesConsole: Bool = true) {
        process.end()
        board.unplug()
        if closesConsole { board.hangUp() }
        try? FileManager.default.removeItem(at: folder)
    }

    var selection: AdapterSession.Selection {
        var selection = AdapterSession.Selection()
        selection.simulated = board.path
        return selection
    }

    /// A session that said hello, with all the grease that there is.
    func greeted() throws -> AdapterSession {
        var timeouts = AdapterSession.Timeouts()
        timeouts.start = Self.patience
        timeouts.answer = Self.patience
        timeouts.flash = Self.patience
        timeouts.probe = Self.patience
        timeouts.connect = Self.patience
        let session = AdapterSession(process, grease: AdapterGrease(.always), timeouts: timeouts)
        _ = try session.hello(selection)
        return session
    }

    // MARK: Lines

    func send(_ line: AdapterLine) throws { try process.send(line.bytes, within: Self.patience) }

    func send(_ bytes: [UInt8]) throws { try process.send(bytes, within: Self.patience) }

    /// The next line that is no data of the device.
    func receive() throws -> AdapterMessage {
        while let line = try process.receive(within: Self.patience) {
            let message = try AdapterMessage(parsing: line)
            if message.id != nil { return message }
        }
        throw CheckFailure("no answer in \(Self.patience)")
    }

    /// The answer to request `id`, progress left out.
    func answer(_ id: Int, to what: String) throws -> AdapterMessage {
        while true {
            let message = try receive()
            guard message.id == id, message.ok == nil, message.progress != nil else {
                try require(message.id == id, "\(what) is answered with the ID \(message.id ?? 0)")
                return message
            }
        }
    }

    func expect(_ failure: AdapterFailure, of answer: AdapterMessage, to what: String) throws {
        try require(
            answer.ok == false && answer.error == failure.rawValue,
            "\(what) is answered with \"\(answer.error ?? "ok")\", not \"\(failure.rawValue)\"")
    }

    func hello() throws {
        let fields: [AdapterLine.Field] = [
            .init("versions", .integers([1])), .init("simulated", .text(board.path)),
        ]
        try send(AdapterLine(id: 1, AdapterRequest.hello.rawValue, fields))
        let answer = try answer(1, to: "hello")
        try require(answer.ok == true, "hello is refused: \(answer.error ?? "")")
    }

    /// That the adapter still does what it is asked for.
    func expectToGoOn(_ id: Int) throws {
        try send(AdapterLine(id: id, "x-still-there"))
        try expect(.unknown, of: answer(id, to: "what comes next"), to: "what comes next")
    }
}

/// Images, from the board's thread.
final class ImageLog: Sendable {
    typealias Image = (bytes: [UInt8], isErasing: Bool)

    private let list = Mutex<[Image]>([])

    func append(_ bytes: [UInt8], _ isErasing: Bool) {
        list.withLock { $0.append((bytes, isErasing)) }
    }

    var all: [Image] { list.withLock { $0 } }
}
