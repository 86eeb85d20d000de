import Channels
import Foundation
import Provisioning

/// A log through RTT, of an STM32F405 in QEMU that writes it as fast as it can, beside plain reads of the
/// same memory by the same GDB server.
struct RTTBenchmark: Benchmark {
    let topic = "rtt"
    let abstract = "a log through a debug probe, beside plain reads of memory"

    /// Of the log that the firmware sends when it is asked to, and of its RAM.
    private static let logLength = 4 << 20
    private static let ram = AddressRange(address: 0x2000_0000, length: 128 << 10)
    private static let patience = Duration.seconds(30)

    func measure(_ bench: Bench) throws -> [Measurement] {
        do {
            _ = try Program(["qemu-system-arm", "--version"]).runSuccessfully()
        } catch {
            bench.skip(topic, because: "\(error)")
            return []
        }
        return try Bench.withFolder { try measure(bench, $0) }
    }

    private func measure(_ bench: Bench, _ folder: URL) throws -> [Measurement] {
        guard let ram = Self.ram else { throw Failure("no RAM") }
        let image = try build(in: folder)
        // The paths of sockets are short.
        let socket = "/tmp/provision-bench-\(UUID().uuidString.prefix(8))"
        let board = try ChildProcess(
            Command([
                "qemu-system-arm", "-M", "netduinoplus2", "-S", "-display", "none", "-monitor",
                "none", "-serial", "null", "-gdb", "unix:\(socket),server=on,wait=off",
            ]), failure: .emulatorFailed)
        defer {
            board.terminate()
            unlink(socket)
        }
        let interruption = try Interruption()
        let settings = RTTSettings(memory: [ram], log: 1)
        let flasher = GDBFlasher(
            .init(
                endpoint: .unix(path: socket), rtt: settings, connectTimeout: Self.patience,
                waitsUntilListening: true), interruption: interruption)
        _ = try flasher.flash(image, erasing: false)
        let channel = try flasher.openRTT(settings, within: Self.patience)
        bench.progress("a log through RTT")
        let count = bench.isQuick ? 1 : 7
        let logs = try (0..<count).map { _ in try Bench.seconds { try log(channel) } }
        flasher.close()

        bench.progress("plain reads of memory")
        let remote = try GDBRemote.connect(to: .unix(path: socket), interruption: interruption)
        defer { remote.close() }
        let reads = try (0..<count).map { _ in
            try Bench.seconds {
                for _ in 0..<16 {
                    _ = try remote.readMemory(at: ram.address, count: ram.length)
                }
            }
        }
        func rate(_ length: Int, _ times: [Double]) -> Double {
            Double(length) / Bench.median(times) / 1e6
        }
        return [
            Measurement(
                "log through RTT, a ring of 64 KiB", rate(Self.logLength, logs), "MB/s",
                beside: .init(name: "plain reads", value: rate(16 * ram.length, reads)),
                .atLeast(0.8))
        ]
    }

    /// One log, whole and in order.
    private func log(_ channel: RTTChannel) throws {
        try channel.write(Array("M".utf8), within: Self.patience)
        var count = 0
        while count < Self.logLength {
            let bytes = try channel.read(atMost: Self.logLength - count, within: Self.patience)
            guard bytes.first == UInt8(truncatingIfNeeded: count) else {
                throw Failure("the log breaks off after \(count) bytes")
            }
            count += bytes.count
        }
    }

    private func build(in folder: URL) throws -> FirmwareImage {
        let image = folder.appending(path: "firmware.elf").path
        _ = try Program(
            [
                "clang", "--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft",
                "-std=c11", "-Os", "-ffreestanding", "-fno-pic", "-nostdlib", "-fuse-ld=lld",
                "-Wl,-T,Tests/ProbeFirmware/stm32f405.ld", "-Wl,-e,reset_handler",
                "-ISources/DeviceProvisioning/include",
                "-isystem", "Templates/embedded-swift/Sources/Board/libc",
                "Tests/ProbeFirmware/main.c",
                "Sources/DeviceProvisioning/rtt.c", "-o", image,
            ], in: Bench.packageRoot
        ).runSuccessfully()
        return FirmwareImage(path: image)
    }
}
