import Channels
import Foundation
import JTAGProbe
import Provisioning
import Testing

/// A state directory, and a platform whose devices are given up soon.
struct HostileDesk {
    let provision: Executable
    let way: Way
    /// Arguments that name the platform.
    private let platform: [String]

    /// Milliseconds for the first answer, for others, for signatures, for all together, and until a line
    /// takes what is sent.
    static let timeouts = (
        boot: 1000 * slowness, answer: 1000 * slowness, signature: 1500 * slowness,
        conversation: 6000 * slowness, write: 2000 * slowness
    )
    /// Milliseconds for a device that is not given up before the test is.
    private static let longTime = 60_000 * slowness
    /// How many times as long as on a computer of its own. A build that a sanitizer watches, on a loaded
    /// computer, takes its time to start and to read a flood.
    private static let slowness = Executable.isSanitized ? 4 : 2
    /// Seconds, for the start of a debug build and for all that goes right, on a computer that is busy.
    private static let allowance = 30 * Double(slowness)
    /// Seconds after which a run that does not end is killed.
    static let patience = 120 * Double(slowness)
    /// KiB. Half of it is what a debug build takes to start. One that takes much more has a sanitizer,
    /// which keeps records of all memory, and what was freed.
    private static let memoryLimit: Int = {
        let start = (try? Executable.withHome { try $0("platforms") })?.peakMemory ?? 0
        return start > 48 * 1024 ? 4 * start : 64 * 1024
    }()

    /// - Parameters:
    ///   - isPatient: give no device up before the test does.
    ///   - isBrief: give one up soon that gets nowhere.
    init(
        _ provision: Executable, _ way: Way = .serialPort, isPatient: Bool = false,
        isBrief: Bool = false
    ) throws {
        self.provision = provision
        self.way = way
        platform = try provision.platform(
            "testboard", board: "testboard",
            """
            [flash]
            method = "command"
            command = ["/bin/false", "{image}"]

            [channel]
            kind = "uart"
            rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }

            [timeouts]
            boot-ms = \(isPatient ? Self.longTime : Self.boot(over: way))
            answer-ms = \(isPatient ? Self.longTime : Self.timeouts.answer)
            signature-ms = \(Self.timeouts.signature)
            write-ms = \(Self.timeouts.write)
            probe-ms = \(Self.longTime)
            \(isBrief ? "conversation-ms = \(Self.timeouts.conversation)" : "")
            """)
    }

    /// Milliseconds for the first answer: a probe that plays JTAG carries a few hundred octets in a second.
    static func boot(over way: Way) -> Int { timeouts.boot * (way.isProbed ? 5 : 1) }

    init(_ provision: Executable, _ way: Way, for hostility: Hostility) throws {
        try self.init(
            provision, way, isPatient: hostility.isFlood,
            isBrief: hostility.limit(over: way) == .conversation)
    }

    /// `provision enroll` with the device on its port.
    func enroll(_ options: String..., device: @escaping HostileLine.Behaviour) throws
        -> Executable.Result
    {
        let line = try HostileLine(device)
        defer { line.close() }
        return try enroll(over: line.port, options)
    }

    func arguments(_ port: String) -> [String] { arguments(at: ["--port", port]) }

    func arguments(at place: [String]) -> [String] {
        ["enroll"] + platform + place
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
        expect(hostility.code(over: way), within: hostility.limit(over: way), of: result)
    }

    func expect(_ code: ErrorCode, within limit: Hostility.Limit, of result: Executable.Result) {
        #expect(result.status == code.exitStatus, "\(result.standardError)")
        #expect(
            result.standardError.contains("error[\(code.rawValue)]"), "\(result.standardError)")
        #expect(result.standardOutput.isEmpty)
        let seconds = seconds(until: limit)
        #expect(result.seconds <= seconds + Self.allowance, "not \(seconds) s and some more")
        expectHarmless(result)
    }

    /// What the README promises.
    private func seconds(until limit: Hostility.Limit) -> Double {
        let timeouts = Self.timeouts
        let milliseconds =
            switch limit {
            case .none: 0
            // A debug build takes 4 MiB apart, umockdev carries 512 octets in some 2 ms, and JTAG that is
            // played bit by bit some fifty parts in a second. Far less than what such a device would have.
            case .flood: timeouts.boot * 30
            case .start: Self.boot(over: way) * 3 / 2
            case .answer: timeouts.answer * 4
            case .signature: timeouts.signature * 4
            case .write: timeouts.write
            // And what was asked last.
            case .conversation: timeouts.conversation + timeouts.answer * 4
            }
        return Double(milliseconds) / 1000
    }

    private func expectHarmless(_ result: Executable.Result) {
        let text = result.text + result.standardError
        #expect(
            !text.unicodeScalars.contains {
                $0.properties.generalCategory == .control && $0 != "\n"
            })
        #expect((result.peakMemory ?? 0) <= Self.memoryLimit, "KiB")
    }
}
