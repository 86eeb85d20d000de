import Channels
import Foundation
import JTAGProbe
import Provisioning
import Testing

/// A state directory, and a platform whose devices are given up soon.
struct HostileDesk {
    /// How the tool reaches a device's line.
    enum Way: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case serialPort, rtt, udp, usb

        var testDescription: String { rawValue }
    }

    /// Each on a serial port, and in datagrams where that can be: they carry nothing but a whole message.
    static func ways(_ hostilities: [Hostility]) -> [(Hostility, Way)] {
        let ofLines = Hostility.onTheLine.map(\.testDescription)
        let whole = hostilities.filter {
            !ofLines.contains($0.testDescription) && $0.code != .noAnswer && !$0.isFlood
        }
        return Executable.sample(hostilities).map { ($0, .serialPort) }
            + Executable.sample(whole, from: 1).map { ($0, .udp) }
    }

    /// Through a probe. One that plays JTAG bit by bit carries no flood.
    static func probed(_ hostilities: [Hostility]) -> [Hostility] {
        Executable.sample(hostilities.filter { !$0.isFlood }, from: 2)
    }

    private let provision: Executable
    private let way: Way
    private let platforms: String

    /// Milliseconds for the first answer, for others, and for signatures.
    private static let timeouts = (
        boot: 1000 * slowness, answer: 1000 * slowness, signature: 1500 * slowness
    )
    /// A build that a sanitizer watches, on a loaded computer, takes its time to start and to read a flood.
    private static let slowness = Executable.isSanitized ? 4 : 1
    /// Seconds: a request is repeated until about four times its limit has passed.
    private static let limit =
        4 * Double(timeouts.boot + timeouts.answer + timeouts.signature)
        / 1000 + Double(120 * slowness)
    /// Milliseconds for a device that is not given up before the test is.
    private static let patience = 60_000 * slowness
    /// KiB. Half of it is what a debug build takes to start. One that takes much more has a sanitizer,
    /// which keeps records of all memory, and what was freed.
    private static let memoryLimit: Int = {
        let start = (try? Executable.withHome { try $0("platforms") })?.peakMemory ?? 0
        return start > 48 * 1024 ? 4 * start : 64 * 1024
    }()

    /// - Parameter isPatient: give no device up before the test does.
    init(_ provision: Executable, _ way: Way = .serialPort, isPatient: Bool = false) throws {
        self.provision = provision
        self.way = way
        let folder = provision.home.appending(path: "platforms")
        platforms = folder.path
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            name = "testboard"
            description = "a board that nobody can trust"
            board = "testboard"

            [flash]
            method = "command"
            command = ["/bin/false", "{image}"]

            [channel]
            kind = "uart"
            rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }

            [timeouts]
            boot-ms = \(isPatient ? Self.patience : Self.timeouts.boot)
            answer-ms = \(isPatient ? Self.patience : Self.timeouts.answer)
            signature-ms = \(Self.timeouts.signature)
            """
        try Data(text.utf8).write(to: folder.appending(path: "testboard.toml"))
    }

    /// `provision enroll` with the device on its port.
    func enroll(_ options: String..., device: @escaping HostileLine.Behaviour) throws
        -> Executable.Result
    {
        let line = try HostileLine(device)
        defer { line.close() }
        guard way != .serialPort else {
            return try provision.run(
                Executable.url, arguments(line.port) + options, within: Self.limit)
        }
        if way == .usb {
            let mock = try USBMock(line: line.port, for: provision)
            return try mock.run(arguments(USBMock.port) + options, within: Self.limit)
        }
        if way == .udp {
            let relay = try DatagramRelay(line.port)
            defer { relay.end() }
            return try provision.run(
                Executable.url, arguments("udp:127.0.0.1:\(relay.port)") + options,
                within: Self.limit)
        }
        let chip = try ChipOnLine(line.port)
        let server = try OpenOCD(chip.ram)
        _ = try server.connect(Interruption())
        return try provision.run(
            Executable.url, arguments("openocd:127.0.0.1:\(server.tclPort)") + options,
            within: Self.limit)
    }

    func arguments(_ port: String) -> [String] {
        ["enroll", "--platform", "testboard", "--platforms", platforms, "--port", port]
    }

    /// The number of events, and the hash that chains them all. The log must be intact, and the tables
    /// what it says, so that nothing else can have changed.
    func record() throws -> String {
        let verification = try provision("registry", "verify", "--json")
        try #require(verification.status == 0, "\(verification.standardError)")
        return verification.text
    }

    func keyStates() throws -> [String] {
        let keys = try provision("keys", "--json").json()["keys"] as? [[String: Any]]
        return keys?.compactMap { $0["state"] as? String } ?? []
    }

    func expectSuccess(_ result: Executable.Result) throws {
        try #require(result.status == 0, "\(result.standardError)")
        expectHarmless(result)
    }

    func expect(_ hostility: Hostility, of result: Executable.Result) {
        #expect(result.status == hostility.code.exitStatus, "\(result.standardError)")
        #expect(
            result.standardError.contains("error[\(hostility.code.rawValue)]"),
            "\(result.standardError)")
        #expect(result.standardOutput.isEmpty)
        expectHarmless(result)
    }

    private func expectHarmless(_ result: Executable.Result) {
        let text = result.text + result.standardError
        #expect(
            !text.unicodeScalars.contains {
                $0.properties.generalCategory == .control && $0 != "\n"
            })
        #if os(Linux)
            #expect(result.peakMemory > 0)
            #expect(result.peakMemory <= Self.memoryLimit, "KiB")
        #endif
    }
}
