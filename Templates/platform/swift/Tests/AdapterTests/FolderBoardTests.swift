import CBOR
import Foundation
import Provisioning
import ProvisioningTesting
import SMP
import Synchronization
import Testing

@testable import provision_platform_example

/// The adapter's parts, each with a board without hardware.
@Suite struct FolderBoardTests {
    private static let id = "1f0c5a9922ee4b07"

    private func withBoard(
        _ change: (inout BoardFolder.Behaviour) throws -> Void, body: (FolderBoard) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var behaviour = BoardFolder.Behaviour()
        try change(&behaviour)
        let board = try BoardFolder(in: folder.path, id: Self.id, behaviour)
        defer { board.unplug() }
        try body(FolderBoard(board.path))
    }

    /// What the board has taken, on its own thread.
    private final class Images: Sendable {
        private let list = Mutex<[[UInt8]]>([])
        var all: [[UInt8]] { list.withLock { $0 } }
        func add(_ image: [UInt8]) { list.withLock { $0.append(image) } }
    }

    @Test func anImageArrivesWhole() throws {
        let images = Images()
        try withBoard {
            $0.talk = { _ in [] }
            $0.flashed = { image, isErasing in images.add(image) }
        } body: { board in
            let path = try board.path(of: "image")
            try Data("firmware".utf8).write(to: URL(filePath: path))
            let flasher = FolderFlasher(board: board) { done, total in }
            let receipt = try flasher.flash(FirmwareImage(path: path), erasing: false)
            #expect(receipt.byteCount == 8)
            #expect(images.all == [Array("firmware".utf8)])
        }
    }

    @Test func aBoardThatLeavesIsNoSuccess() throws {
        try withBoard {
            $0.talk = { _ in [] }
            $0.leavesAfter = 1
        } body: { board in
            let path = try board.path(of: "image")
            try Data("firmware".utf8).write(to: URL(filePath: path))
            let flasher = FolderFlasher(board: board) { done, total in }
            #expect(throws: ProvisioningError(.flashFailed, "")) {
                try flasher.flash(FirmwareImage(path: path), erasing: false)
            }
        }
    }

    @Test func theProbeReadsTheID() throws {
        try withBoard {
            $0.talk = { _ in [] }
        } body: { board in
            let id = try board.readDeviceID()
            #expect("\(id)" == Self.id)
        }
    }

    /// A whole conversation is for `provision check`; this is its first question.
    @Test func theChannelCarriesAnAnswer() throws {
        try withBoard {
            $0.talk = try SimulatedBoard(Self.id, board: "native").talk
        } body: { board in
            let channel = try DescriptorChannel(board.path(of: "console"))
            defer { channel.close() }
            let hello = try SMPMessage(
                operation: .read, group: DeviceContract.standardGroup, sequence: 1,
                command: DeviceContract.Command.device, payload: [:])
            try channel.write(
                Array(SerialFrame.lines(of: hello.encoded()).joined()), within: .seconds(10))
            var decoder = SerialFrameDecoder()
            var answer: SMPMessage?
            while answer == nil {
                let bytes = try channel.read(atMost: 512, within: .seconds(10))
                try #require(!bytes.isEmpty, "the device is silent")
                for case .message(let frame) in decoder.push(bytes) {
                    answer = try SMPMessage(decoding: frame)
                }
            }
            #expect(answer?.payload["board"]?.text == "native")
        }
    }
}
