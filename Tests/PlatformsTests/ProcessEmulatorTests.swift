import Foundation
import Platforms
import Provisioning
import Testing

/// Platforms whose emulator is the firmware itself. Shell scripts play the firmware.
@Suite struct ProcessEmulatorTests {
    private func script(_ text: String, in folder: TemporaryFolder) throws -> String {
        try folder.write("#!/bin/sh\n\(text)\n", to: "Firmware")
        let path = "\(folder.path)/Firmware"
        #expect(chmod(path, 0o700) == 0)
        return path
    }

    @Test func bytesPassUnchanged() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start(
            "native", in: folder, image: script("exec cat", in: folder))
        #expect(emulator.probe == nil)
        let sent = (0..<4096).map { UInt8($0 & 0xFF) }
        for _ in 0..<3 {
            let port = try EmulatedBoard.open(emulator.uart)
            for start in stride(from: 0, to: sent.count, by: 256) {
                let chunk = Array(sent[start..<(start + 256)])
                try port.write(chunk, within: .seconds(1))
                #expect(try EmulatedBoard.read(256, from: port) == chunk)
            }
            port.close()
        }
        try emulator.stop()
        #expect(!EmulatedBoard.isAlive(emulator.processID))
    }

    @Test func stateFolderBelongsToTheInstance() throws {
        let folder = try TemporaryFolder()
        let image = try script("echo \"$PROVISION_NATIVE_STATE\"; exec cat", in: folder)
        let emulator = try EmulatedBoard.start(
            "native", in: folder, image: image, instance: "mine")
        let expected = "\(folder.path)/emulated/mine/device\n"
        let port = try EmulatedBoard.open(emulator.uart)
        let text = String(
            decoding: try EmulatedBoard.read(expected.utf8.count, from: port), as: UTF8.self)
        #expect(text == expected)
        try emulator.stop()
    }

    @Test func whatNobodyReadsIsLostAndBlocksNobody() throws {
        let folder = try TemporaryFolder()
        let image = try script(
            "head -c 1000000 /dev/zero; touch \"\(folder.path)/written\"; exec cat", in: folder)
        let emulator = try EmulatedBoard.start("native", in: folder, image: image)
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while !FileManager.default.fileExists(atPath: "\(folder.path)/written") {
            try #require(ContinuousClock.now < deadline, "the firmware is blocked")
            usleep(10_000)
        }
        // A user who comes now finds what the terminal holds, and talks; again, if there was no room.
        let port = try EmulatedBoard.open(emulator.uart)
        var received: [UInt8] = []
        while received.suffix(5) != Array("hello".utf8)[...] {
            try #require(ContinuousClock.now < deadline, "\(received.filter { $0 != 0 })")
            try port.write(Array("hello".utf8), within: .seconds(20))
            received += try port.read(atMost: 100_000, within: .milliseconds(100))
        }
        #expect(received.count < 1_000_000)
        try emulator.stop()
    }

    @Test func endIsTold() throws {
        let folder = try TemporaryFolder()
        let failing = try EmulatedBoard.start(
            "native", in: folder,
            image: script("echo first >&2; echo no flash >&2; exit 3", in: folder))
        let error = try #require(failure { try failing.waitUntilExit() })
        #expect(error.code == .emulatorFailed)
        #expect(error.reason.hasSuffix("ended with status 3\n  first\n  no flash"))
        try failing.stop()
        let ending = try EmulatedBoard.start(
            "native", in: folder, image: script("exit 0", in: folder))
        try ending.waitUntilExit()
    }

    /// Firmware may print anything, and its last words stand in an error message.
    @Test func itsLastWordsAreHarmless() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start(
            "native", in: folder,
            image: script(
                #"printf 'a\033[2Jb\302\2332Jc\342\200\256d\177e\n' >&2; exit 3"#, in: folder))
        let error = try #require(failure { try emulator.waitUntilExit() })
        #expect(error.reason.hasSuffix("\n  a [2Jb 2Jc d e"), "\(error.reason.debugDescription)")
        try emulator.stop()
    }

    @Test func needsAnImage() throws {
        let folder = try TemporaryFolder()
        #expect(failure { try EmulatedBoard.start("native", in: folder) }?.code == .usage)
        #expect(failure { try EmulatedBoard.start("microbit", in: folder) }?.code == .usage)
        let error = failure {
            try EmulatedBoard.start("native", in: folder, image: "\(folder.path)/missing")
        }
        #expect(error?.code == .emulatorFailed)
        #expect(error?.reason.contains("missing") == true)
    }

    @Test func portEndsWithTheBoard() throws {
        let folder = try TemporaryFolder()
        let image = try script("exec cat", in: folder)
        let emulators = try (0..<4).map {
            try EmulatedBoard.start("native", in: folder, image: image, instance: "i\($0)")
        }
        #expect(Set(emulators.map(\.uart)).count == 4)
        for emulator in emulators {
            let port = try EmulatedBoard.open(emulator.uart)
            try emulator.stop()
            #expect(failure { try EmulatedBoard.read(1, from: port) }?.code == .channelClosed)
        }
    }
}
