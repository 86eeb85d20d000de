import JTAGProbe
import Provisioning
import Testing

/// A log that means harm, wherever it is read. Whatever it says, the run ends in time, in bounded memory, with an
/// error of its own, and what was recorded stays.
@Suite struct HostileLogTests {
    private typealias Place = HostileDesk.LogPlace

    private static let all = LogHostility.noise + LogHostility.reports + LogHostility.unsigned

    /// - Parameter step: 1 for all. Where one place differs from another in what carries the octets only, some
    ///   are enough.
    private static func cases(_ place: Place, from first: Int = 0, each step: Int = 1)
        -> [(LogHostility, Place)]
    {
        let carried = all.filter(place.carries).enumerated()
        let some = carried.filter { $0.offset % step == first % step }.map(\.element)
        return Executable.sample(some, from: first % 4).map { ($0, place) }
    }

    private static let onThisComputer =
        cases(.file) + cases(.port, each: 2) + cases(.standardInput, from: 1, each: 3)
        + cases(.flasher, from: 2, each: 3) + cases(.growingFile, from: 0, each: 3)
        + cases(.pipe, from: 1, each: 4) + cases(.client, from: 2, each: 4)
        + cases(.server, from: 3, each: 4) + cases(.channel, from: 0, each: 4)

    @Test(arguments: onThisComputer)
    func nothingIsRecorded(_ hostility: LogHostility, place: HostileDesk.LogPlace) throws {
        try expectNothing(of: hostility, at: place, over: .serialPort)
    }

    @Test(
        .enabled(if: OpenOCD.isInstalled, "there is no openocd"),
        arguments: cases(.channel, from: 3, each: 4), [HostileDesk.Way.rtt, .gdb])
    func nothingIsRecordedThroughAProbe(
        _ hostility: (LogHostility, HostileDesk.LogPlace), way: HostileDesk.Way
    ) throws {
        try expectNothing(of: hostility.0, at: hostility.1, over: way)
    }

    @Test(
        .enabled(if: USBMock.isInstalled, "there is no umockdev"),
        arguments: cases(.channel, from: 2, each: 4))
    func nothingIsRecordedOverUSB(
        _ hostility: LogHostility, place: HostileDesk.LogPlace
    ) throws {
        try expectNothing(of: hostility, at: place, over: .usb)
    }

    private func expectNothing(
        of hostility: LogHostility, at place: HostileDesk.LogPlace, over way: HostileDesk.Way
    ) throws {
        try withVictim(way) { desk, victim in
            let before = try desk.record()
            let result = try desk.read(hostility.log(victim), at: place, hostility.options)
            desk.expect(hostility.code, within: place.limit(over: way), of: result)
            #expect(result.hint?.isEmpty == false)
            #expect(try desk.record() == before)
        }
    }

    /// The report of the key in force, again and again: from this boot, or kept by somebody from an earlier one.
    @Test(arguments: HostileDesk.LogPlace.allCases)
    func aReportThatIsRepeatedChangesNothing(place: HostileDesk.LogPlace) throws {
        try withVictim(.serialPort) { desk, victim in
            let before = try desk.record()
            let log = try victim.log()
            let result = try desk.read(
                (0..<200).flatMap { _ in log }, at: place, ["-v", "--json"])
            try desk.expectSuccess(result)
            #expect(try result.json()["isNewKey"] as? Bool == false)
            #expect(try desk.record() == before)
        }
    }

    private func withVictim(
        _ way: HostileDesk.Way, _ body: (HostileDesk, LogVictim) throws -> Void
    ) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, way)
            let victim = try LogVictim()
            try desk.expectSuccess(desk.read(victim.log(victim.earlier), at: .file))
            try desk.expectSuccess(desk.read(victim.log(), at: .file, ["--replace-key"]))
            try #require(desk.keyStates().sorted() == ["active", "revoked"])
            try body(desk, victim)
        }
    }
}
