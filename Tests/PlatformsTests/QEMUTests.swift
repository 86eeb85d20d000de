import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@Suite struct QEMUTests {
    private func debugger(of emulator: Emulator) throws -> GDBRemote {
        try GDBRemote.connect(to: #require(emulator.probe), interruption: Interruption())
    }

    @Test func flashSurvives() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        let first = try debugger(of: emulator)
        try first.writeMemory(at: 0, EmulatedBoard.endlessLoop)
        try first.writeMemory(at: 0x3B000, Array("a record".utf8))
        try emulator.stop()
        #expect(!EmulatedBoard.isAlive(emulator.processID))

        let again = try EmulatedBoard.start("microbit-qemu", in: folder)
        let second = try debugger(of: again)
        #expect(
            try second.readMemory(at: 0, count: EmulatedBoard.endlessLoop.count)
                == EmulatedBoard.endlessLoop)
        #expect(try second.readMemory(at: 0x3B000, count: 8) == Array("a record".utf8))
        // And of a system reset.
        try second.writeMemory(at: 0x3B000, Array("A".utf8))
        try second.reset(with: "system_reset")
        #expect(try second.readMemory(at: 0x3B000, count: 8) == Array("A record".utf8))
        try again.stop()
    }

    @Test func memoryOfTheOtherBoardSurvives() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("mps2-an386-qemu", in: folder)
        let first = try debugger(of: emulator)
        let seed = try first.readMemory(at: 0x2100_1000, count: 1024)
        #expect(Set(seed).count > 100)
        try first.writeMemory(at: 0x2100_8000, Array("a record".utf8))
        try emulator.stop()
        let again = try EmulatedBoard.start("mps2-an386-qemu", in: folder)
        let second = try debugger(of: again)
        #expect(try second.readMemory(at: 0x2100_8000, count: 8) == Array("a record".utf8))
        #expect(try second.readMemory(at: 0x2100_1000, count: 1024) != seed)
        try again.stop()
    }

    @Test func firmwareOfTheLastRunStarts() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        let debugger = try debugger(of: emulator)
        try debugger.writeMemory(at: 0, EmulatedBoard.increment)
        try debugger.reset(with: "system_reset")
        debugger.close()
        // As often as one likes.
        for greeting in ["R", ""] {
            let port = try EmulatedBoard.open(emulator.uart)
            #expect(try EmulatedBoard.read(greeting.count, from: port) == Array(greeting.utf8))
            try port.write([0x00, 0x0A, 0x7F, 0xFF], within: .seconds(1))
            #expect(try EmulatedBoard.read(4, from: port) == [0x01, 0x0B, 0x80, 0x00])
            port.close()
        }
        try emulator.stop()

        let again = try EmulatedBoard.start("microbit-qemu", in: folder)
        let port = try EmulatedBoard.open(again.uart)
        #expect(try EmulatedBoard.read(1, from: port) == Array("R".utf8))
        try port.write(Array("HAL".utf8), within: .seconds(1))
        #expect(try EmulatedBoard.read(3, from: port) == Array("IBM".utf8))
        try again.stop()
    }

    @Test(arguments: [("microbit-qemu", 0x3_F400), ("mps2-an386-qemu", 0x2100_2000)])
    func factoryPage(_ platform: String, _ address: UInt64) throws {
        let folder = try TemporaryFolder()
        var ids: [[UInt8]] = []
        for instance in ["a", "a", "b"] {
            let emulator = try EmulatedBoard.start(platform, in: folder, instance: instance)
            let page = try debugger(of: emulator).readMemory(at: address, count: 24)
            #expect(Array(page[..<12]) == Array("PRVFACT1".utf8) + [8, 0, 0, 0])
            #expect(Array(page[12..<20]) == emulator.deviceID)
            let endpoint = try #require(emulator.probe)
            let configuration = try PlatformCatalogue().platform(named: platform)
                .flasherConfiguration(endpoint: endpoint)
            let flasher = GDBFlasher(
                try #require(configuration), interruption: try Interruption())
            #expect(try Array(page[12..<20]) == flasher.readDeviceID().bytes)
            ids.append(Array(page[12...]))
            try emulator.stop()
        }
        #expect(ids[0] == ids[1])
        #expect(ids[0] != ids[2])
    }

    @Test func busyInstanceIsRefused() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        let error = try #require(failure { try EmulatedBoard.start("microbit-qemu", in: folder) })
        #expect(error.code == .deviceBusy)
        #expect(
            error.reason == "microbit-qemu-1 is run by \(PortHolder(processID: getpid())) already")
        let other = try EmulatedBoard.start("microbit-qemu", in: folder, instance: "other")
        #expect(other.uart != emulator.uart)
        try emulator.stop()
        #expect(EmulatedBoard.isAlive(other.processID))
    }

    @Test func endsWithItsObject() throws {
        let folder = try TemporaryFolder()
        var emulator: Emulator? = try EmulatedBoard.start("microbit-qemu", in: folder)
        let processID = try #require(emulator?.processID)
        try debugger(of: #require(emulator)).writeMemory(at: 0x3B000, [1, 2, 3])
        #expect(EmulatedBoard.isAlive(processID))
        emulator = nil
        #expect(!EmulatedBoard.isAlive(processID))
        #expect(
            try folder.read("emulated/microbit-qemu-1/memory-0.bin")[0x3B000...0x3B002] == [
                1, 2, 3,
            ])
        // The lock is gone, too.
        try EmulatedBoard.start("microbit-qemu", in: folder).stop()
    }

    @Test func interruptedWaitLeavesTimeToKeepTheMemory() throws {
        let folder = try TemporaryFolder()
        let interruption = try Interruption()
        let emulator = try EmulatedBoard.start(
            "microbit-qemu", in: folder, interruption: interruption)
        try debugger(of: emulator).writeMemory(at: 0x3B000, [7])
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) {
            interruption.interrupt()
        }
        #expect(failure { try emulator.waitUntilExit() }?.code == .interrupted)
        try emulator.stop()
        try emulator.stop()
        #expect(try folder.read("emulated/microbit-qemu-1/memory-0.bin")[0x3B000] == 7)
        #expect(!EmulatedBoard.isAlive(emulator.processID))
    }

    @Test func qemusOwnEndIsTold() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        kill(emulator.processID, SIGKILL)
        let error = try #require(failure { try emulator.waitUntilExit() })
        #expect(error.code == .emulatorFailed)
        #expect(error.reason.hasPrefix("qemu-system-arm was ended by signal 9"))
        try emulator.stop()
    }

    @Test func memoryIsKeptWhileItRuns() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        try debugger(of: emulator).writeMemory(at: 0x3B000, [9])
        try emulator.save()
        kill(emulator.processID, SIGKILL)
        _ = failure { try emulator.waitUntilExit() }
        #expect(try folder.read("emulated/microbit-qemu-1/memory-0.bin")[0x3B000] == 9)
    }

    @Test func damagedStateIsNotUsed() throws {
        let folder = try TemporaryFolder()
        try folder.write("short", to: "emulated/microbit-qemu-1/memory-0.bin")
        var error = failure { try EmulatedBoard.start("microbit-qemu", in: folder) }
        #expect(error?.code == .emulatorFailed)
        #expect(error?.reason.contains("has 5 bytes, not 262144") == true)
        try folder.write("short", to: "emulated/x/device-id")
        error = failure { try EmulatedBoard.start("microbit-qemu", in: folder, instance: "x") }
        #expect(error?.reason.contains("has 5 bytes, not 8") == true)
        for name in ["", "../x", "X", "a/b"] {
            error = failure { try EmulatedBoard.start("microbit-qemu", in: folder, instance: name) }
            #expect(error?.code == .usage)
        }
    }

    private func platform(command: [String]) throws -> Platform {
        let text = """
            name = "board"
            description = "a board"
            board = "board"
            [flash]
            method = "gdb"
            [channel]
            kind = "uart"
            [emulator]
            kind = "qemu"
            command = \(command)
            """
        return try Platform(parsing: Array(text.utf8), name: "board", file: "board.toml")
    }

    @Test func failedStartHasQEMUsWords() throws {
        let folder = try TemporaryFolder()
        let platform = try platform(command: ["qemu-system-arm", "-machine", "no-such-board"])
        let error = try #require(
            failure {
                try Emulator.start(
                    platform, stateDirectory: folder.path, interruption: Interruption())
            })
        #expect(error.code == .emulatorFailed)
        #expect(error.reason.contains("unsupported machine type"))
    }

    @Test func missingQEMUNamesItsPackage() throws {
        let folder = try TemporaryFolder()
        let platform = try platform(command: ["qemu-system-armadillo", "-machine", "microbit"])
        let error = try #require(
            failure {
                try Emulator.start(
                    platform, stateDirectory: folder.path, interruption: Interruption())
            })
        #expect(error.code == .emulatorFailed)
        #expect(error.reason.contains("qemu-system-armadillo"))
        #expect(error.hint?.contains("apt-get install qemu-system-") == true)
    }
}
