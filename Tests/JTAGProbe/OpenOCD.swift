package import Channels
import Foundation
import Provisioning

/// The real OpenOCD, with a chip behind its probe that is only RAM. Its sockets are on the loopback
/// interface.
package final class OpenOCD {
    package let tclPort: UInt16
    package let gdbPort: UInt16
    /// One that it may be told to listen on.
    package let sparePort: UInt16
    private let probe: JTAGProbe
    private let process: ChildProcess

    /// Where Debian has it.
    private static let path = "/usr/bin/openocd"
    package static let isInstalled = FileManager.default.isExecutableFile(atPath: path)

    /// What OpenOCD takes the chip for: `mem_ap` is no core, and has no RTT.
    package enum Target: String { case core = "cortex_m", memory = "mem_ap" }

    /// Starts it; it listens soon.
    package init(_ ram: TargetRAM, as target: Target = .core) throws {
        probe = try JTAGProbe(ram)
        tclPort = try JTAGProbe.freePort()
        gdbPort = try JTAGProbe.freePort()
        sparePort = try JTAGProbe.freePort()
        let script = [
            "adapter driver remote_bitbang", "remote_bitbang host 127.0.0.1",
            "remote_bitbang port \(probe.port)", "bindto 127.0.0.1", "telnet_port disabled",
            "gdb_port \(gdbPort)", "tcl_port \(tclPort)",
            "jtag newtap chip cpu -irlen 4 -expected-id 0x4ba00477",
            "dap create chip.dap -chain-position chip.cpu",
            "target create chip.cpu \(target.rawValue) -dap chip.dap -ap-num 0", "init",
        ]
        process = try ChildProcess(
            Command([Self.path] + script.flatMap { ["-c", $0] }), failure: .internalFailure)
    }

    deinit { process.terminate() }

    /// Waits until it listens.
    package func connect(_ interruption: Interruption) throws -> StreamChannel {
        try StreamChannel.connect(
            host: "127.0.0.1", port: tclPort, within: .seconds(60), untilListening: true,
            interruption: interruption)
    }
}
