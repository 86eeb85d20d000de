import Channels
import Foundation
import Platforms
import Provisioning
import ProvisioningTesting
import SMP

/// The checks of a platform: its keys, its commands as they would run, and a conversation with its settings.
struct PlatformChecks {
    let platform: Platform

    /// What needs no device: its keys, and its commands.
    var facts: [CheckResult] {
        let file = CheckResult.of("file", "every key is known and has a possible value") {
            "\(platform.origin): board \(platform.board), \(platform.channel.kind.rawValue)"
        }
        return [file] + commands
    }

    // MARK: Commands

    /// What stands for what a user names.
    private static let examples: [CommandPlaceholder: String] = [
        .image: "IMAGE", .port: "PORT", .probe: "SERIAL", .usb: "VID:PID", .package: "PACKAGE",
        .scratch: "SCRATCH", .address: "ADDRESS", .words: "WORDS", .length: "LENGTH",
        .script: "SCRIPT",
    ]

    private var commands: [CheckResult] {
        var templates: [(String, CommandTemplate)] = []
        if let build = platform.build {
            templates += [("build", build.command), ("build: its image", build.image)]
        }
        switch platform.flash {
        case .command(let commands), .monitor(let commands, _):
            templates.append(("flash", commands.flash))
            if let erase = commands.erase { templates.append(("erase", erase)) }
            if let reset = commands.reset { templates.append(("reset", reset)) }
        case .gdb, .adapter, .none: break
        }
        if case .probe(let probed) = platform.identification, let reader = probed.command {
            templates.append(("identify", reader.command))
        }
        switch platform.emulation {
        case .process(let command): templates.append(("emulator", command))
        case .qemu(let machine): templates.append(("emulator", machine.command))
        case nil: break
        }
        var values = Self.examples
        values[.board] = platform.board
        values[.chip] = platform.chip
        values[.baud] = platform.channel.baudRates.first.map(String.init)
        return templates.map { name, template in
            CheckResult.of("commands", name) { "\(Command(try template.filled(with: values)))" }
        }
    }

    // MARK: A conversation

    /// What a line does to a simulated device's answers, and what is to come of it.
    enum LineCheck: String, CaseIterable, Sendable {
        case good = "a simulated device is provisioned"
        case truncated = "an answer that is cut off is asked for again"
        case late = "an answer that comes late is asked for again"
        case duplicated = "answers that come twice change nothing"
        case oversized = "an answer that is too long ends the run"
        case version = "a device of another version ends the run"
        case unplugged = "a board that leaves while it is flashed ends the run"

        /// Nil: the run ends well.
        var code: ErrorCode? {
            switch self {
            case .good, .truncated, .late, .duplicated: nil
            case .oversized: .answerOversized
            case .version: .versionUnsupported
            case .unplugged: .flashFailed
            }
        }
    }

    /// Why there is nobody to ask.
    static let onlyReports = "its device only prints a line with its key"

    /// Why there is no such device for this platform; nil: there is.
    private var obstacle: String? {
        if platform.report != nil { return Self.onlyReports }
        if platform.channel.kind == .udp {
            return "the simulated device has a line, and no datagrams"
        }
        if platform.channel.framing != .console {
            return "the simulated device has the console framing"
        }
        if platform.channel.smpVersion == .v1 { return "the simulated device speaks SMP version 2" }
        guard platform.channel.group == DeviceContract.standardGroup else {
            return "the simulated device has the group \(DeviceContract.standardGroup)"
        }
        return nil
    }

    func run(_ check: LineCheck) -> CheckResult {
        if let obstacle { return .skipped("device", check.rawValue, obstacle) }
        return CheckResult.of("device", check.rawValue) {
            let folder = FileManager.default.temporaryDirectory
                .appending(path: "provision-check-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            return try converse(check, in: folder)
        }
    }

    private func converse(_ check: LineCheck, in folder: URL) throws -> String {
        let device = try SimulatedDevice(board: platform.board)
        try prepare(device, check)
        let run = try SimulatedRun(in: folder)
        var plan = SimulatedRun.plan
        // It answers before it is asked twice, or not at all.
        plan.deadlines.boot = .milliseconds(300)
        plan.deadlines.answer = .milliseconds(200)
        plan.deadlines.signature = .milliseconds(200)
        plan.board = platform.board
        plan.credentials = platform.credentials.types
        plan.validity = platform.credentials.validityDays.map { Int64($0) * 86400 }
        var flasher: (any Flasher)?
        if check == .unplugged {
            let image = folder.appending(path: "image")
            try Data([1, 2, 3]).write(to: image)
            plan.image = FirmwareImage(path: image.path)
            // In the place of a tool whose board has gone.
            flasher = CommandFlasher(
                .init(flash: try CommandTemplate(["/bin/sh", "-c", "exit 1", "{image}"])),
                runner: CommandRunner(interruption: try Interruption()) { _ in })
        }
        let outcome: Outcome
        do throws(ProvisioningError) {
            outcome = try run.provision(plan, flasher: flasher) { FaultyLine(device, check) }
        } catch {
            guard error.code == check.code else { throw error }
            return error.code.rawValue
        }
        outcome.channel.close()
        try require(check.code == nil, "it is provisioned")
        let needsRepeat = check == .truncated || check == .late
        try require(!needsRepeat || outcome.retries > 0, "nothing was asked for again")
        return outcome.credentials.map(\.type.title).sorted().joined(separator: ", ")
    }

    private func prepare(_ device: SimulatedDevice, _ check: LineCheck) throws {
        switch check {
        case .oversized:
            let lines = try SerialFrame.lines(of: [UInt8](repeating: 0, count: 60_000)).joined()
            device.reaction = { _ in .send(Array(lines)) }
        case .version:
            device.reaction = { message in
                message.isRead(DeviceContract.Command.device)
                    ? .answer([
                        "v": 99, "id": .bytes([1]), "board": "other", "fw": "", "algs": [],
                        "keys": [], "chunk": 96, "locked": false,
                    ]) : .obey
            }
        default: break
        }
    }
}

/// A device's line that does one thing wrong.
private final class FaultyLine: Channel {
    var name: String { device.name }
    private let device: SimulatedDevice
    private let check: PlatformChecks.LineCheck
    private var held: [UInt8] = []
    private var readCount = 0

    init(_ device: SimulatedDevice, _ check: PlatformChecks.LineCheck) {
        self.device = device
        self.check = check
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        // Half of what it says, where whoever asks takes little at a time, would be no frame.
        let bytes = try device.read(
            atMost: check == .duplicated ? limit / 2 : limit, within: timeout)
        guard !bytes.isEmpty else { return [] }
        readCount += 1
        switch check {
        case .truncated where readCount == 2: return Array(bytes.prefix(bytes.count / 2))
        case .late where readCount == 2:
            held = bytes
            Thread.sleep(forTimeInterval: timeout / .seconds(1))
            return []
        case .late:
            defer { held = [] }
            return held + bytes
        case .duplicated: return bytes + bytes
        default: return bytes
        }
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try device.write(bytes, within: timeout)
    }

    func close() { device.close() }
}
