import Foundation
import JTAGProbe
import Provisioning
import Testing

/// A device that means harm, on a real pty, behind a debug probe or on USB, at the executable that users run. Whatever it does, the run
/// ends in time, in bounded memory, with an error of its own, and what was recorded stays.
@Suite struct HostileDeviceTests {
    private static let early =
        Hostility.onTheLine + Hostility.answers + Hostility.parts + Hostility.evidence

    @Test(
        .enabled(if: OpenOCD.isInstalled, "there is no openocd"),
        arguments: HostileDesk.probed(early))
    func nothingIsRecordedThroughAProbe(_ hostility: Hostility, way: HostileDesk.Way) throws {
        try nothingIsRecorded(hostility, way: way)
    }

    @Test(
        .enabled(if: OpenOCD.isInstalled, "there is no openocd"),
        arguments: HostileDesk.probed(Hostility.afterRegistration))
    func theNextRunGoesOnThroughAProbe(_ hostility: Hostility, way: HostileDesk.Way) throws {
        try theNextRunGoesOn(hostility, way: way)
    }

    @Test(
        .enabled(if: USBMock.isInstalled, "there is no umockdev"),
        arguments: Executable.sample(early, from: 3))
    func nothingIsRecordedOverUSB(_ hostility: Hostility) throws {
        try nothingIsRecorded(hostility, way: .usb)
    }

    @Test(
        .enabled(if: USBMock.isInstalled, "there is no umockdev"),
        arguments: Executable.sample(Hostility.afterRegistration, from: 3))
    func theNextRunGoesOnOverUSB(_ hostility: Hostility) throws {
        try theNextRunGoesOn(hostility, way: .usb)
    }

    /// Without it, no test would see how much memory a run takes.
    @Test func memoryIsMeasured() throws {
        try Executable.withHome { provision in
            let runs = try (0..<5).compactMap { _ in try provision("platforms").peakMemory }
            #expect((runs.max() ?? 0) > 1024, "KiB")
        }
    }

    @Test(arguments: HostileDesk.ways(early) + HostileDesk.rawLines)
    func nothingIsRecorded(_ hostility: Hostility, way: HostileDesk.Way) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, way, for: hostility)
            let victim = try Victim()
            try desk.expectSuccess(desk.enroll { try victim.behave($0) })
            let before = try desk.record()
            let run = try desk.enroll { try hostility.behaviour($0, victim) }
            desk.expect(hostility, of: run)
            #expect(try desk.record() == before)
        }
    }

    /// The key is registered, and pending until the device behaves.
    @Test(arguments: HostileDesk.ways(Hostility.afterRegistration))
    func theNextRunGoesOn(_ hostility: Hostility, way: HostileDesk.Way) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, way, for: hostility)
            let victim = try Victim()
            let run = try desk.enroll { try hostility.behaviour($0, victim) }
            desk.expect(hostility, of: run)
            #expect(try desk.keyStates() == ["pending"])
            let pending = try desk.record()
            try desk.expect(hostility, of: desk.enroll { try hostility.behaviour($0, victim) })
            #expect(try desk.record() == pending, "the second time changed something")
            try desk.expectSuccess(desk.enroll { try victim.behave($0) })
            #expect(try desk.keyStates() == ["active"])
            _ = try desk.record()
        }
    }

    /// It was good once, and lost its credentials: what it had is offered again, and nothing is recorded.
    @Test(arguments: HostileDesk.ways(Hostility.afterRegistration))
    func anActiveKeyStaysActive(_ hostility: Hostility, way: HostileDesk.Way) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, way, for: hostility)
            let victim = try Victim()
            try desk.expectSuccess(desk.enroll { try victim.behave($0) })
            let before = (record: try desk.record(), keys: try provision("keys", "--json").text)
            try desk.expect(hostility, of: desk.enroll { try hostility.behaviour($0, victim) })
            #expect(try desk.keyStates() == ["active"])
            #expect(try provision("keys", "--json").text == before.keys)
            #expect(try desk.record() == before.record)
            try desk.expectSuccess(desk.enroll { try victim.behave($0) })
            #expect(try desk.record() == before.record, "the next run recorded something")
        }
    }

    /// What a device says in its log is shown, and does nothing to the terminal.
    @Test func theLogIsHarmless() throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision)
            let victim = try Victim()
            let result = try desk.enroll("-v") { line in
                _ = line.receive()
                line.send(Array("\u{1B}]0;owned\u{7}\u{1B}[2J\u{9b}31m\0\u{8}log\u{7f}\n".utf8))
                line.send([0xff, 0xc0, 0x80, 0x0a])
                try victim.behave(line)
            }
            try desk.expectSuccess(result)
            #expect(result.standardError.contains("log"))
        }
    }
}
