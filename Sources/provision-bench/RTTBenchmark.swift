import Channels
import Foundation
import JTAGProbe
import Provisioning

/// A log through RTT, of an STM32F405 in QEMU that writes it as fast as it can, beside plain reads of the
/// same memory by the same GDB server; and a board that is provisioned over RTT.
struct RTTBenchmark: Benchmark {
    let topic = "rtt"
    let abstract = "a log through a debug probe, beside plain reads of memory; a run through it"

    /// What asks the firmware for a log, and the log's length: `Tests/ProbeFirmware`.
    private struct Log {
        let request: String
        let length: Int
        static let short = Log(request: "L", length: 256 << 10)
        static let long = Log(request: "M", length: 4 << 20)
    }

    private static let ram = AddressRange(address: 0x2000_0000, length: 128 << 10)
    private static let patience = Duration.seconds(30)

    func measure(_ bench: Bench) throws -> [Measurement] {
        let running = try runningCoreLog(bench)
        do {
            _ = try Program(["qemu-system-arm", "--version"]).runSuccessfully()
        } catch {
            bench.skip(topic, because: "\(error)")
            return running
        }
        return try Bench.withFolder {
            [try log(bench, $0)] + running + (try provisioning(bench, $0))
        }
    }

    /// QEMU's GDB server halts the core to read its memory; this one need not.
    private func runningCoreLog(_ bench: Bench) throws -> [Measurement] {
        guard OpenOCD.isInstalled else {
            bench.skip(RunningCoreLog.name, because: "there is no openocd")
            return []
        }
        bench.progress("a log through OpenOCD, and its plain reads of memory")
        return [try RunningCoreLog(isQuick: bench.isQuick).measure()]
    }

    /// The whole run through the probe alone: flashed, erased, keys made and certified by a processor of
    /// 16 MHz that is emulated meanwhile.
    private func provisioning(_ bench: Bench, _ folder: URL) throws -> [Measurement] {
        let name = "microbit-qemu provisioned over RTT"
        if let reason = bench.emulatorObstacle {
            bench.skip(name, because: reason)
            return []
        }
        let image = try bench.microbitFirmware()
        bench.progress("provision run --platform microbit-qemu-rtt")
        let run = Program(
            [
                Bench.provision.path, "run", "--platform", "microbit-qemu-rtt", "--firmware", image,
                "--erase", "--detach",
            ], ["PROVISION_HOME": folder.appending(path: "home").path])
        // The first one makes the authority.
        _ = try run.runSuccessfully()
        let times = try (0..<(bench.isQuick ? 1 : 9)).map { _ in
            try Bench.seconds { _ = try run.runSuccessfully() }
        }
        return [Measurement(name, Bench.median(times), "s", beside: .limit(1), .atMost(1))]
    }

    private func log(_ bench: Bench, _ folder: URL) throws -> Measurement {
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
        bench.progress("a log through RTT, and plain reads of memory")
        let log = bench.isQuick ? Log.short : .long
        let count = bench.isQuick ? 1 : 7
        var rounds: [Round] = []
        // In turns, and compared by turns: the machine is not always as fast.
        for _ in 0..<count {
            let channel = try flasher.openRTT(settings, within: Self.patience)
            var pieces: [[UInt8]] = []
            let logSeconds = try Bench.seconds { pieces = try read(log, channel) }
            flasher.close()
            try check(pieces, log)
            let remote = try GDBRemote.connect(to: .unix(path: socket), interruption: interruption)
            let readSeconds = try Bench.seconds {
                for _ in 0..<16 { _ = try remote.readMemory(at: ram.address, count: ram.length) }
            }
            remote.close()
            rounds.append(
                Round(
                    own: Double(log.length) / logSeconds / 1e6,
                    peer: Double(16 * ram.length) / readSeconds / 1e6))
        }
        let middle = Round.middle(rounds)
        return Measurement(
            "log through RTT, a ring of 64 KiB", middle.own, "MB/s",
            beside: .init(name: "plain reads", value: middle.peer), .atLeast(0.8))
    }

    /// One log, as it came.
    private func read(_ log: Log, _ channel: RTTChannel) throws -> [[UInt8]] {
        try channel.write(Array(log.request.utf8), within: Self.patience)
        var (count, pieces) = (0, [[UInt8]]())
        while count < log.length {
            let bytes = try channel.read(atMost: log.length - count, within: Self.patience)
            guard !bytes.isEmpty else {
                throw Failure("the log breaks off after \(count) bytes")
            }
            pieces.append(bytes)
            count += bytes.count
        }
        return pieces
    }

    /// Whether each byte is the one that the firmware has counted there. Not while the clock runs.
    private func check(_ pieces: [[UInt8]], _ log: Log) throws {
        let bytes = pieces.joined()
        let wrong = bytes.enumerated().first { $0.element != UInt8(truncatingIfNeeded: $0.offset) }
        guard wrong == nil, bytes.count == log.length else {
            throw Failure(
                "of \(bytes.count) bytes of a log of \(log.length), "
                    + (wrong.map { "number \($0.offset) is \($0.element)" } ?? "none is wrong"))
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
