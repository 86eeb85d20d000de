import Foundation
import Synchronization
import Testing

@testable import ProvisioningTesting

/// The native firmware as the board of an adapter: in a folder, flashed through a pipe, on a
/// pseudo-terminal.
final class NativeBoardFolder {
    let path: String
    let id: String
    private let board: BoardFolder
    private let firmware: FirmwareProcess

    /// - Parameter folder: for the board, its flash and its firmware.
    init(in folder: URL, leavesAfter: Int? = nil) throws {
        let place = folder.appending(path: "board")
        let state = folder.appending(path: "board-state")
        for folder in [place, state] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let bytes = (0..<8).map { _ in UInt8.random(in: 0...255) }
        try Data(bytes).write(to: state.appending(path: "device-id"))
        id = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        path = place.path
        let firmware = FirmwareProcess(state)
        self.firmware = firmware
        var behaviour = BoardFolder.Behaviour()
        behaviour.leavesAfter = leavesAfter
        behaviour.flashed = { image, erasing in firmware.start(image, erasing: erasing) }
        behaviour.reset = { firmware.start(nil, erasing: false) }
        board = try BoardFolder(in: place.path, id: id, behaviour)
        firmware.master = board.master
    }

    var flashCount: Int { firmware.count }

    /// To be called once.
    func stop() {
        board.unplug()
        firmware.stop()
        board.hangUp()
    }
}

/// What runs on the board, started anew by each flash.
private final class FirmwareProcess: @unchecked Sendable {
    private let lock = Mutex<(process: Process?, count: Int)>((nil, 0))
    private let state: URL
    /// Set before the first flash.
    var master: Int32 = -1

    init(_ state: URL) { self.state = state }

    var count: Int { lock.withLock { $0.count } }

    func start(_ image: [UInt8]?, erasing: Bool) {
        lock.withLock { current in
            end(&current.process)
            let file = state.appending(path: "firmware")
            let process = Process()
            do {
                if let image {
                    current.count += 1
                    try Data(image).write(to: file)
                    try FileManager.default.setAttributes(
                        [.posixPermissions: 0o700], ofItemAtPath: file.path)
                }
                process.executableURL = file
                process.environment = ["PROVISION_NATIVE_STATE": state.path]
                if erasing { process.environment?["PROVISION_NATIVE_ERASE"] = "1" }
                let uart = FileHandle(fileDescriptor: master, closeOnDealloc: false)
                process.standardInput = uart
                process.standardOutput = uart
                process.standardError = FileHandle.nullDevice
                try process.run()
                current.process = process
            } catch {
                Issue.record("the firmware does not start: \(error)")
            }
        }
    }

    func stop() { lock.withLock { end(&$0.process) } }

    private func end(_ process: inout Process?) {
        guard let running = process else { return }
        kill(running.processIdentifier, SIGKILL)
        running.waitUntilExit()
        process = nil
    }
}
