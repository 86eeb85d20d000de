import Foundation
import JTAGProbe
import Testing

@testable import Channels

/// Kill -9 of the run, or of the device, on ways to a device that no emulator of the tool's has: the next run
/// goes on. Serial ports and QEMU's probe are in `KillTests`, USB in `USBKillTests`.
@Suite struct LineKillTests {
    enum Way: String, CaseIterable {
        case udp, openOCD
        /// Without the console framing.
        case raw
    }

    enum Victim {
        case run, device
    }

    /// Those of `enroll`, as the firmware is there already.
    private static let steps = KillTests.steps.filter { !["flash", "identify"].contains($0) }

    /// `NetworkTests` kills runs over UDP. The device of the raw line is in memory: it does not outlive a kill.
    private static let cases: [(Way, Victim)] =
        [(.udp, .device), (.raw, .run)]
        + (OpenOCD.isInstalled ? [(.openOCD, .run), (.openOCD, .device)] : [])

    @Test(arguments: cases) func afterEachStep(way: Way, victim: Victim) throws {
        try Executable.withHome { provision in
            let desk = try Desk(provision, way)
            var statuses: [Int32] = []
            for step in Self.steps {
                let board = try desk.switchOn(step)
                // Its result is not read before the kill: it does not end by itself.
                let run = try KillableRun(
                    provision, desk.arguments(board), output: FullPipe())
                #expect(run.says(step), "\(run.errorOutput)")
                if victim == .device {
                    board.switchOff()
                    let status = try #require(run.end(), "after \(step), the run hangs")
                    #expect([0, 5].contains(status), "after \(step): \(run.errorOutput)")
                    statuses.append(status)
                    try desk.expectNextRun(on: try desk.switchOn(step), "device killed: \(step)")
                } else {
                    #expect(try run.kill(.run) == SIGKILL, "after \(step): \(run.errorOutput)")
                    #expect(run.hasKilled, "after \(step): \(run.errorOutput)")
                    try desk.expectNextRun(on: board, "run killed after \(step)")
                }
            }
            // Those behind the last of its answers need the device no more.
            #expect(
                victim == .run || statuses.count { $0 == 5 } >= Self.steps.count / 2,
                "\(statuses)")
        }
    }

    /// Power fails in the middle of the device's own write.
    @Test(arguments: [Way.udp] + (OpenOCD.isInstalled ? [.openOCD] : []))
    func inTheMiddleOfFlashWrites(way: Way) throws {
        try Executable.withHome { provision in
            let desk = try Desk(provision, way)
            for write in stride(from: 0, to: 450, by: 90) {
                let name = "write-\(write)"
                let board = try desk.switchOn(name, ["PROVISION_NATIVE_CUT": "\(write)"])
                let run = try KillableRun(provision, desk.arguments(board))
                #expect(board.device.endingSignal() == SIGKILL)
                board.switchOff()
                let status = try #require(run.end(), "in write \(write), the run hangs")
                #expect(status == 5, "write \(write): \(run.errorOutput)")
                try desk.expectNextRun(
                    on: try desk.switchOn(name), "power lost in write \(write)")
            }
        }
    }

    /// A device that is switched on, and what lies between it and the run.
    private final class Board {
        let device: NativeDevice
        let port: String
        private let relay: DatagramRelay?
        private var probe: (chip: ChipOnLine, server: OpenOCD)?
        private var isOn = true

        init(
            _ program: String, _ way: Way, in folder: URL, _ environment: [String: String]
        ) throws {
            device = try NativeDevice(
                program, arguments: way == .raw ? ["raw"] : [], in: folder,
                environment: environment)
            relay = way == .udp ? try DatagramRelay(device.line.port) : nil
            switch way {
            case .raw: port = device.line.port
            case .udp: port = "udp:127.0.0.1:\(relay?.port ?? 0)"
            case .openOCD:
                let chip = try ChipOnLine(device.line.port)
                let server = try OpenOCD(chip.ram)
                _ = try server.connect(Interruption())
                probe = (chip, server)
                port = "openocd:127.0.0.1:\(server.tclPort)"
            }
        }

        deinit { switchOff() }

        /// Kill -9 of the device; the power of its network or its probe goes with it.
        func switchOff() {
            guard isOn else { return }
            isOn = false
            device.stop()
            relay?.end()
            probe = nil
        }
    }

    /// A registry, and boards by name, whose flash outlives them.
    private struct Desk {
        private let provision: Executable
        private let way: Way
        private let program: String
        /// Arguments that name the platform.
        private let platform: [String]

        init(_ provision: Executable, _ way: Way) throws {
            (self.provision, self.way) = (provision, way)
            program = try way == .raw ? DeviceProcess.program() : Firmware.native()
            platform = try provision.platform(
                "desk",
                """
                [flash]
                method = "command"
                command = ["/bin/false", "{image}"]
                [channel]
                kind = "uart"
                framing = "\(way == .raw ? "raw" : "console")"
                rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }
                [timeouts]
                boot-ms = 60000
                """)
        }

        func switchOn(_ name: String, _ environment: [String: String] = [:]) throws -> Board {
            try Board(
                program, way, in: provision.home.appending(path: "board-\(name)"), environment)
        }

        func arguments(_ board: Board) -> [String] {
            ["enroll", "--port", board.port, "--json"] + platform
        }

        /// It ends well, and the device has one key that is in force.
        func expectNextRun(on board: Board, _ comment: Comment) throws {
            let result = try provision.run(Executable.url, arguments(board))
            try provision.expectOneKeyInForce(after: result, comment)
        }
    }
}
