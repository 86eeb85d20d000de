import Foundation
import JTAGProbe
import Synchronization
import Testing

@testable import Channels

/// The real OpenOCD between the tool and the device library; only the chip and its probe are a fake.
@Suite(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
struct OpenOCDTests {
    /// Through the Tcl port, the GDB server, and OpenOCD's own RTT server: each finds what the one before has
    /// left.
    @Test func provisionsThroughEachOfItsPorts() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let chip = try ChipWithDevice(image, in: provision.home.appending(path: "device"))
            defer { chip.stop() }
            let server = try OpenOCD(chip.ram)
            let interruption = try Interruption()
            let control = OpenOCDControl(
                try server.connect(interruption), replyTimeout: .seconds(60))
            func enroll(_ arguments: String...) throws -> Executable.Result {
                try provision.run(
                    Executable.url,
                    ["enroll", "--platform", "chip", "--platforms", provision.home.path, "--json"]
                        + arguments)
            }
            try Data(Self.platform.utf8).write(to: provision.home.appending(path: "chip.toml"))

            let first = try enroll("--port", "openocd:127.0.0.1:\(server.tclPort)")
            try #require(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["isNewKey"] as? Bool == true)

            let second = try enroll("--probe", "tcp:127.0.0.1:\(server.gdbPort)")
            try #require(second.status == 0, "\(second.standardError)")
            #expect(try second.json()["isNewKey"] as? Bool == false)
            #expect(!chip.ram.isHalted)

            try control.require("rtt setup 0x20000000 8192 \"SEGGER RTT\"")
            try control.require("rtt start")
            let port = server.sparePort
            try control.require("rtt server start \(port) 0")
            let third = try enroll("--port", "tcp:127.0.0.1:\(port)")
            #expect(third.status == 0, "\(third.standardError)")
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func namesWhatIsWrong() throws {
        try Executable.withHome { provision in
            let blank = try OpenOCD(TargetRAM())
            _ = try blank.connect(Interruption())
            let text = Self.platform.replacing("boot-ms = 20000", with: "boot-ms = 200")
            try Data(text.utf8).write(to: provision.home.appending(path: "chip.toml"))
            func enroll(_ port: String, _ platform: String = "chip") throws -> Executable.Result {
                try provision(
                    "enroll", "--platform", platform, "--platforms", provision.home.path,
                    "--port", port)
            }
            try enroll("openocd:127.0.0.1:\(blank.tclPort)")
                .expectError("rtt-not-found", status: 5, "8192 bytes at 0x20000000")
            try enroll("openocd:127.0.0.1:\(blank.tclPort)", "native")
                .expectError("usage", status: 2, "native", "RTT")
            try enroll("openocd:127.0.0.1:1")
                .expectError("probe-unavailable", status: 5, "127.0.0.1:1")
            for port in ["openocd:", "openocd:a b", "openocd:[::1", "openocd:host:0"] {
                try enroll(port).expectError("usage", status: 2, port)
            }
        }
    }

    private static let platform = """
        name = "chip"
        description = "a chip behind OpenOCD"
        board = "native"

        [flash]
        method = "command"
        command = ["true", "{image}"]

        [channel]
        kind = "rtt"
        rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }

        [timeouts]
        boot-ms = 20000
        """
}

/// The native firmware, whose standard input and output are rings in a chip's RAM.
private final class ChipWithDevice {
    let ram: TargetRAM
    private let process = Process()
    private let socket: Int32

    init(_ image: String, in folder: URL) throws {
        var sockets: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &sockets) == 0)
        let socket = sockets[0]
        self.socket = socket
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        let firmware = RingFirmware()
        let waiting = Mutex<[UInt8]>([])
        ram = TargetRAM { ram in
            let request = firmware.received(&ram)
            // A socket takes far more than a ring holds.
            if !request.isEmpty { _ = write(socket, request, request.count) }
            waiting.withLock { waiting in
                var bytes = [UInt8](repeating: 0, count: 512)
                if waiting.isEmpty, case let count = read(socket, &bytes, bytes.count), count > 0 {
                    waiting += bytes[..<count]
                }
                waiting.removeFirst(firmware.send(waiting, &ram))
            }
        }
        ram.edit { firmware.start(&$0) }
        let deviceEnd = FileHandle(fileDescriptor: sockets[1], closeOnDealloc: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(filePath: image)
        process.environment = ["PROVISION_NATIVE_STATE": folder.path]
        process.standardInput = deviceEnd
        process.standardOutput = deviceEnd
        process.standardError = FileHandle.nullDevice
        try process.run()
        try deviceEnd.close()
    }

    /// To be called once.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        close(socket)
    }
}
