import Attestation
import Channels
import Foundation
import Issuance
import Platforms
import Provisioning
import Testing

/// One bad file, and what its header says of the error.
struct BadPlatform: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: [String: String]

    var testDescription: String { name }

    static let all: [BadPlatform] = {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("Vectors")
        let files =
            folder.flatMap {
                try? FileManager.default.contentsOfDirectory(
                    at: $0, includingPropertiesForKeys: nil)
            } ?? []
        return files.compactMap { file in
            guard let data = try? Data(contentsOf: file) else { return nil }
            var expected: [String: String] = [:]
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                guard line.hasPrefix("# "), let colon = line.firstIndex(of: ":") else { break }
                let key = String(line[line.index(line.startIndex, offsetBy: 2)..<colon])
                expected[key] = String(line[colon...].dropFirst(2))
            }
            let name = file.deletingPathExtension().lastPathComponent
            return BadPlatform(name: name, bytes: Array(data), expected: expected)
        }
    }()
}

@Suite struct PlatformFileTests {
    static let minimal = """
        name = "board"
        description = "a board"
        board = "board"
        [flash]
        method = "gdb"
        [channel]
        kind = "uart"
        """

    private func failure(_ bytes: [UInt8], name: String = "board") -> ProvisioningError? {
        do throws(ProvisioningError) {
            _ = try Platform(parsing: bytes, name: name, file: "\(name).toml")
            return nil
        } catch {
            return error
        }
    }

    @Test func thereAreBadFiles() { #expect(BadPlatform.all.count >= 125) }

    @Test(arguments: BadPlatform.all) func refuses(_ bad: BadPlatform) throws {
        let error = try #require(failure(bad.bytes, name: bad.name))
        #expect(error.code.rawValue == bad.expected["code"])
        let message = try #require(bad.expected["message"])
        // `file:line: message`, or `file: message` where the message is about the whole file.
        let place = try #require(error.reason.firstRange(of: " ")).lowerBound
        #expect(error.reason[..<place].hasPrefix("\(bad.name).toml:"))
        #expect(error.reason[place...].dropFirst().hasPrefix(message), "\(error.reason)")
        #expect(error.hint?.isEmpty == false)
        if let hint = bad.expected["hint"] { #expect(error.hint == hint) }
        if let line = bad.expected["line"] {
            #expect(error.reason[..<place] == "\(bad.name).toml:\(line):")
        }
    }

    @Test func aBoardThatOnlyReports() throws {
        let text = """
            name = "board"
            description = "a board"
            board = "board"
            [flash]
            method = "command"
            command = ["probe-rs", "run", "{image}"]
            monitor = true
            monitor-terminal = true
            [report]
            formats = ["ariel"]
            from = "flasher"
            """
        let platform = try Platform(parsing: Array(text.utf8), name: "board", file: "board.toml")
        #expect(platform.report?.formats == [.ariel])
        #expect(platform.report?.source == .flasher)
        guard case .monitor(_, usesTerminal: true) = platform.flash else {
            Issue.record("\(platform.flash)")
            return
        }
        let plain = try Platform(
            parsing: Array((Self.minimal + "\n[report]").utf8), name: "board", file: "board.toml")
        #expect(plain.report?.formats == [.provision, .ariel])
        #expect(plain.report?.source == .channel)
    }

    @Test func defaults() throws {
        let platform = try Platform(
            parsing: Array(Self.minimal.utf8), name: "board", file: "board.toml")
        #expect(platform.channel.baudRates == [115_200])
        #expect(platform.credentials.types == [.x509Chain, .cwt])
        #expect(platform.credentials.validityDays == nil)
        #expect(platform.timeouts.boot == .seconds(5))
        #expect(platform.build == nil)
        #expect(platform.emulation == nil)
        guard case .gdb(let gdb) = platform.flash else {
            Issue.record("not flashed by GDB")
            return
        }
        #expect(gdb.resetCommand == "reset")
        #expect(gdb.eraseRegions.isEmpty)
    }

    @Test func credentialsAndTimeouts() throws {
        let text =
            Self.minimal + """

                [credentials]
                types = ["cwt"]
                trust-anchors = true
                validity-days = 365
                [timeouts]
                boot-ms = 250
                """
        let platform = try Platform(parsing: Array(text.utf8), name: "board", file: "board.toml")
        #expect(platform.credentials.types == [.cwt, .trustAnchors])
        #expect(platform.credentials.validityDays == 365)
        #expect(platform.timeouts.boot == .milliseconds(250))
    }

    private func platform(channel: String, more: String = "") throws -> Platform {
        let text = Self.minimal + "\n\(channel)\n\(more)"
        return try Platform(parsing: Array(text.utf8), name: "board", file: "board.toml")
    }

    @Test func aLineIsDrivenAsTheFileSays() throws {
        let plain = try platform(channel: "").channel
        #expect(plain.flowControl == .none && plain.reset == nil && plain.framing == .console)
        #expect(plain.smpVersion == nil && plain.udp == nil)
        let channel = try platform(
            channel: """
                baud = [115200, 9600]
                flow-control = "rts-cts"
                reset = ["dtr=0,rts=1", "wait=100", "rts=0"]
                framing = "raw"
                smp-version = 1
                udp = { endpoint = "udp:[fe80::1%eth0]" }
                """
        ).channel
        #expect(channel.baudRates == [115_200, 9600])
        #expect(channel.flowControl == .rtsCTS)
        #expect(channel.reset == .esp)
        #expect(channel.framing == .raw)
        #expect(channel.smpVersion == .v1)
        #expect(channel.udp?.description == "udp:[fe80::1%eth0]:1337")
        #expect(try platform(channel: "reset = \"none\"").channel.reset == nil)
        #expect(try platform(channel: "reset = \"arduino\"").channel.reset == .arduino)
    }

    @Test func aTouchIsBeforeACommand() throws {
        let text = Self.minimal.replacing(
            "method = \"gdb\"",
            with:
                "method = \"command\"\ncommand = [\"tool\", \"{image}\", \"{port}\"]\ntouch-baud = 1200"
        )
        let platform = try Platform(parsing: Array(text.utf8), name: "board", file: "board.toml")
        #expect(platform.touchBaud == 1200)
        #expect(try self.platform(channel: "").touchBaud == nil)
    }

    /// Each has a key, a default, and a user who knows better.
    @Test(arguments: Timeout.allCases) func aTimeoutIsSetByFileAndByUser(_ timeout: Timeout) throws
    {
        let standard = try platform(channel: "").timeouts
        #expect(standard[timeout] == timeout.standard ?? standard.boot)
        #expect(!standard.isGiven(timeout) && standard[timeout] > .zero)
        let given = try platform(channel: "", more: "[timeouts]\n\(timeout.key) = 1234")
        #expect(given.timeouts[timeout] == .milliseconds(1234))
        #expect(given.timeouts.isGiven(timeout))
        let other = given.with(timeouts: [timeout: .milliseconds(7)])
        #expect(other.timeouts[timeout] == .milliseconds(7))
        for other in Timeout.allCases where ![timeout, .port].contains(other) {
            #expect(given.timeouts[other] == standard[other])
        }
    }

    /// Thirty signatures, unless it is said.
    @Test func aConversationIsAsLongAsItsSignatures() throws {
        #expect(try platform(channel: "").timeouts.conversation == .seconds(300))
        let slow = try platform(channel: "", more: "[timeouts]\nsignature-ms = 60000")
        #expect(slow.timeouts.conversation == .seconds(1800))
        // What is shown is what is used.
        #expect(slow.timeouts[.conversation] == slow.timeouts.conversation)
        let said = slow.with(timeouts: [.conversation: .seconds(5)])
        #expect(said.timeouts.conversation == .seconds(5))
    }

    @Test func rttIsWhereTheFileSays() throws {
        let start = Self.minimal.replacing("\"uart\"", with: "\"rtt\"") + "\n[channel.rtt]\n"
        func rtt(_ text: String) throws -> RTTSettings {
            let platform = try Platform(
                parsing: Array((start + text).utf8), name: "board", file: "board.toml")
            #expect(platform.channel.kind == .rtt)
            let flasher = platform.flasherConfiguration(endpoint: .unix(path: "/x"))
            #expect(flasher?.rtt == platform.channel.rtt)
            return try #require(platform.channel.rtt)
        }
        let one = try rtt("ram = [{ address = 0x20000000, length = 0x4000 }]")
        #expect(one.memory == [AddressRange(address: 0x2000_0000, length: 0x4000)])
        #expect(one.up == 0 && one.down == 0 && one.log == nil)
        let two = try rtt(
            """
            ram = [{ address = 0x20000000, length = 16 }, { address = 0x10000000, length = 32 }]
            up = 1
            down = 2
            log = 0
            """)
        #expect(two.memory.map(\.address) == [0x2000_0000, 0x1000_0000])
        #expect(two.up == 1 && two.down == 2 && two.log == 0)
    }

    @Test func lineOfAnUnknownKey() throws {
        let text = Self.minimal + "\n\n# a comment\nbuad = 9600"
        let error = try #require(failure(Array(text.utf8)))
        #expect(error.reason == "board.toml:10: unknown key \"buad\" in [channel]")
        #expect(error.hint == "did you mean \"baud\"?")
    }

    /// Which methods there are, and what to write where only a command behind `--` flashes.
    @Test(arguments: ["missing-flash", "missing-method", "none-without-emulator"])
    func theMethodsOfFlashingAreNamed(_ name: String) throws {
        let file = try #require(BadPlatform.all.first { $0.name == name })
        let error = #expect(throws: ProvisioningError.self) {
            try Platform(parsing: file.bytes, name: name, file: "board.toml")
        }
        let hint = error?.hint ?? ""
        #expect(
            hint.contains("\"gdb\", \"command\", \"adapter\"") && hint.contains("run --"), "\(hint)"
        )
    }

    @Test func refusesWhatIsNoText() throws {
        let long = Self.minimal + "\n#" + String(repeating: "x", count: 65_536)
        #expect(failure(Array(long.utf8))?.reason.contains("65536") == true)
        #expect(failure(Array(Self.minimal.utf8) + [0xFF])?.reason.contains("UTF-8") == true)
        #expect(failure(Array(Self.minimal.utf8) + [0])?.reason.contains("NUL") == true)
        #expect(failure([])?.reason == "board.toml: missing \"name\"")
    }

    /// A damaged file is refused or means something; it never stops the process.
    @Test func everyTruncation() {
        let bytes = Array(Self.minimal.utf8)
        for count in bytes.indices {
            #expect((failure(Array(bytes[..<count]))?.code ?? .platformInvalid) == .platformInvalid)
        }
    }

    /// toml++ asserts in places: without `TOMLPrecheck`, dozens of these end the process.
    @Test func fiveThousandMutations() throws {
        let alphabet = "[]{}\"'=.,#\n\r\t \\u0x1e+-_aTZ:é\u{2028}\u{85}\u{A0}\u{FEFF}\u{301}\u{0B}"
            .unicodeScalars.map { $0 }
        let seeds = BadPlatform.all.map { String(decoding: $0.bytes, as: UTF8.self).unicodeScalars }
        var generator = SplitMix64(state: 1)
        for _ in 0..<5_000 {
            var scalars = Array(try #require(seeds.randomElement(using: &generator)))
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                let index = scalars.indices.randomElement(using: &generator) ?? 0
                let scalar = try #require(alphabet.randomElement(using: &generator))
                switch Int.random(in: 0...2, using: &generator) {
                case 0: scalars[index] = scalar
                case 1: scalars.insert(scalar, at: index)
                default: scalars.remove(at: index)
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            let code = failure(Array(text.utf8))?.code
            #expect(code == nil || code == .platformInvalid)
        }
    }

    @Test func deeplyNestedValuesAreRefused() throws {
        let text = "x = " + String(repeating: "[", count: 30_000)
        #expect(failure(Array(text.utf8))?.code == .platformInvalid)
    }

    /// As many names as 64 KiB hold: toml++ would take the tables apart by recursion, to the stack's end.
    @Test(arguments: [
        ("", "a.", "a = 1"), ("[", "a.", "a]"), ("[[", "a . ", "a]]"), ("x = {", "a.", "a = 1}"),
        ("", "\"a\".", "a = 1"), ("", "'a'.", "a = 1"),
    ])
    func deeplyNestedKeysAreRefused(_ start: String, _ name: String, _ end: String) {
        let text =
            "# the second line\n" + start + String(repeating: name, count: 65_000 / name.utf8.count)
            + end + "\n"
        let error = failure(Array(text.utf8))
        #expect(error?.code == .platformInvalid)
        #expect(error?.reason.contains("2") == true, "\(error?.reason ?? "")")
        #expect(error?.reason.contains("joins more than 16 names") == true)
    }

    @Test func aByteOrderMarkIsSkipped() {
        #expect(failure([0xEF, 0xBB, 0xBF] + Array(Self.minimal.utf8)) == nil)
        #expect(failure(Array((Self.minimal + "\u{FEFF}").utf8))?.code == .platformInvalid)
    }

    @Test func numbersAndShortKeysAreNoNesting() {
        let text =
            "x = [" + String(repeating: "1.5, ", count: 100) + "]\n"
            + String(repeating: "# a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r\n", count: 2)
            + "y = \"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r\"\na.b.c.d = 2001-01-01T00:00:00.5Z\n"
        let error = failure(Array(text.utf8))
        #expect(error?.reason.contains("joins") == false, "\(error?.reason ?? "")")
    }
}

/// The same mutations in every run. Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
