import JTAGProbe
import Provisioning
import Testing

/// What a chip says of its RTT rings, through the real OpenOCD: nothing is believed of it.
@Suite(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
struct HostileRTTTests {
    @Test(arguments: Executable.sample(RTTLie.all), [HostileDesk.Way.rtt, .gdb])
    func nothingIsRecorded(_ lie: RTTLie, way: HostileDesk.Way) throws {
        try Executable.withHome { provision in
            let victim = try Victim()
            try HostileDesk(provision).expectSuccess(
                HostileDesk(provision).enroll { try victim.behave($0) })
            let desk = try HostileDesk(provision, way)
            let before = try desk.record()
            let result = try desk.enroll(of: lie.ram())
            desk.expect(lie.code, within: lie.limit, of: result)
            #expect(result.standardError.contains(lie.detail), "\(result.standardError)")
            #expect(result.hint?.isEmpty == false)
            #expect(try desk.record() == before)
        }
    }
}
