import Foundation
import Provisioning
import SMP
import Synchronization
import Testing

@testable import Channels

@Suite struct ConsoleTests {
    private let interruption: Interruption
    private let device: Int32
    private let channel: StreamChannel

    init() throws {
        interruption = try Interruption()
        let (near, far) = try socketPair()
        device = far
        channel = try StreamChannel(
            descriptor: near, name: "device", interruption: interruption)
    }

    private func readAll(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 10_000)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func send(_ text: String) {
        #expect(write(device, text, text.utf8.count) == text.utf8.count)
    }

    @Test func showsTextWithoutFrames() throws {
        let (near, far) = try socketPair()
        defer { for end in [near, far, device] { close(end) } }
        let console = Console(
            channel: channel, input: nil, output: near, interruption: interruption)
        #expect(!console.sendsKeys)
        // A recorded echo request, in the middle of a line.
        send("boot\r\ntemp \u{6}\u{9}ABAKAAAGAAAHAAehYWRiaGkfJwo=\n21 °C\u{1b}[2J\u{1b}[31mred\n")
        var shown = ""
        let limit = Deadline(within: .seconds(20))
        while !shown.hasSuffix("red\n"), !limit.isPast {
            #expect(try console.run(until: .now + .milliseconds(50)) == .deadlineReached)
            shown += readAll(far)
        }
        #expect(shown.hasPrefix("boot\r\ntemp "), "\(shown)")
        #expect(shown.hasSuffix("21 °C^[[2J\u{1b}[31mred\n"), "\(shown)")
        #expect(!shown.contains("ABAK"))
    }

    /// A pipe that takes no more, and that nobody reads.
    @Test func anOutputThatNobodyReadsDoesNotKeepTheUser() throws {
        var pipe: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&pipe) == 0)
        let (reader, output) = (pipe[0], pipe[1])
        defer { for end in [output, device] { close(end) } }
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        let page = [UInt8](repeating: 0, count: 4096)
        while write(output, page, page.count) > 0 {}
        _ = fcntl(output, F_SETFL, 0)
        send("boot\n")
        let (taken, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let ending = Mutex<Console.Ending?>(nil)
        nonisolated(unsafe) let channel = channel
        onThread { [interruption] in
            let console = Console(
                channel: channel, input: nil, output: output, interruption: interruption
            ) { _ in taken.signal() }
            ending.withLock { $0 = try? console.run() }
            ended.signal()
        }
        // The text is to be shown from here on.
        #expect(taken.wait(timeout: .now() + 60) == .success)
        interruption.interrupt()
        let hasEnded = ended.wait(timeout: .now() + 20) == .success
        #expect(hasEnded, "it waits for its reader")
        // Whoever still writes ends by this.
        var rest = page
        if !hasEnded {
            _ = read(reader, &rest, rest.count)
            ended.wait()
        }
        close(reader)
        #expect(ending.withLock { $0 } == .interrupted)
    }

    @Test(arguments: ["\u{3}", "\u{1d}"])
    func sendsKeysUntilTheUserLeaves(_ leave: String) throws {
        let terminal = try UnopenedPort()
        let keyboard = open(terminal.path, O_RDWR | O_NOCTTY)
        defer { close(keyboard) }
        let (near, far) = try socketPair()
        defer { for end in [near, far, device] { close(end) } }
        let before = try settings(terminal.path)
        let console = Console(
            channel: channel, input: keyboard, output: near, interruption: interruption)
        #expect(console.sendsKeys)
        let master = terminal.master
        let ending = try TerminalTurn.shared.withLock {
            onThread {
                // Keys typed before the console takes the terminal would not be its keys.
                while !isRaw(master) { usleep(1000) }
                _ = write(master, "hi\r" + leave + "x", 5)
            }
            return try console.run(until: .now + .seconds(20))
        }
        #expect(ending == .detached)
        #expect(readAll(device) == "hi\r")
        #expect(try settings(terminal.path) == before)
    }

    /// What has no descriptor to wait for is asked again at once while something comes.
    @Test func keepsUpWithAFloodThatCannotBePolled() throws {
        /// A probe's memory, with a log in it that is far behind.
        final class Backlog: Channel {
            let name = "backlog"
            private(set) var waiting = 20_000

            func write(_ bytes: [UInt8], within timeout: Duration) {}
            func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
                -> [UInt8]
            {
                guard waiting > 0 else { throw ProvisioningError(.channelClosed, "all was read") }
                waiting -= 1
                return Array("x".utf8)
            }
            func close() {}
        }
        defer { close(device) }
        let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(output) }
        let backlog = Backlog()
        let console = Console(
            channel: backlog, input: nil, output: output, interruption: interruption)
        // Four hundred seconds at one piece a turn.
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try console.run(until: .now + .seconds(120))
        }
        #expect(backlog.waiting == 0)
    }

    @Test func endsWhenInterruptedOrUnplugged() throws {
        let console = Console(
            channel: channel, input: nil, output: 1, interruption: interruption)
        close(device)
        expectError(.channelClosed) { () throws(ProvisioningError) in try console.run() }
        interruption.interrupt()
        #expect(try console.run() == .interrupted)
    }

    @Test func endsWhenNobodyReadsAnyMore() throws {
        signal(SIGPIPE, SIG_IGN)
        let (near, far) = try socketPair()
        // Not just closed: a process that another test starts has it for a moment, too.
        #expect(shutdown(far, Int32(SHUT_RDWR)) == 0)
        defer { for end in [near, far, device] { close(end) } }
        let console = Console(
            channel: channel, input: nil, output: near, interruption: interruption)
        send("text\n")
        #expect(try console.run(until: .now + .seconds(20)) == .outputClosed)
    }

    #if os(Linux)
        @Test func endsWhenTheDiskIsFull() throws {
            let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
            defer { for end in [full, device] { close(end) } }
            let console = Console(
                channel: channel, input: nil, output: full, interruption: interruption)
            send("text\n")
            let ending = try console.run(until: .now + .seconds(20))
            #expect(ending == .outputFailed(ENOSPC))
        }
    #endif

    private func settings(_ path: String) throws -> String {
        var lines: [String] = []
        let runner = CommandRunner(interruption: interruption) { lines.append($0.line) }
        try runner.run(
            Command(["stty", "-F", path, "-g"]), timeout: .seconds(10), failure: .internalFailure)
        return lines.joined()
    }
}

/// Whether a pty gives single keys. Linux tells at either end.
private func isRaw(_ master: Int32) -> Bool {
    var settings = termios()
    return tcgetattr(master, &settings) == 0 && settings.c_lflag & tcflag_t(ICANON) == 0
}

/// A process has one terminal.
private enum TerminalTurn {
    static let shared = NSLock()
}

@Suite struct TerminalFilterTests {
    private func filter(_ bytes: [UInt8]) -> String {
        var whole = TerminalFilter()
        let expected = whole.filter(bytes)
        for split in bytes.indices {
            var parts = TerminalFilter()
            let output = parts.filter(bytes[..<split]) + parts.filter(bytes[split...])
            #expect(output == expected)
        }
        return String(decoding: expected, as: UTF8.self)
    }

    @Test(arguments: [
        "plain\r\n\ttext", "größe 21 °C 日本 🙂", "\u{1b}[0m", "\u{1b}[m", "\u{1b}[1;38;5;196mx",
        "\u{1b}[38:2::255:0:0m", "a\n\rb", "\r\n\r\n", "e\u{301} \u{1f5a5}\u{fe0f}",
    ])
    func passes(_ text: String) { #expect(filter(Array(text.utf8)) == text) }

    @Test(arguments: [
        ("\u{1b}[2J", "^[[2J"), ("\u{1b}]0;title\u{7}", "^[]0;title^G"), ("\u{1b}c", "^[c"),
        ("\u{1b}\u{1b}[31m", "^[\u{1b}[31m"), ("\u{1b}[31\u{1b}[32m", "^[[31\u{1b}[32m"),
        ("\u{1b}[?25l", "^[[?25l"), ("\u{1b}[>0m", "^[[>0m"), ("\u{1b}[1 m", "^[[1 m"),
        ("\u{8}\u{7f}\u{0}\u{5}", "^H^?^@^E"), ("\u{9b}2J", "\\xc2\\x9b2J"),
        ("a\u{202e}b", "a\\xe2\\x80\\xaeb"), ("a\u{200b}b", "a\\xe2\\x80\\x8bb"),
        ("\u{feff}", "\\xef\\xbb\\xbf"), ("\u{ad}", "\\xc2\\xad"),
        ("\u{e0041}", "\\xf3\\xa0\\x81\\x81"), ("\u{e000}", "\\xee\\x80\\x80"),
        ("good\revil", "good^Mevil"), ("good\r\revil\r\r\n", "good^Mevil\r\n"),
        ("good\u{1b}\revil", "good^[^Mevil"), ("\u{1b}\revil", "^[^Mevil"),
        ("\u{1b}[31mgood\r\u{1b}[0mevil", "\u{1b}[31mgood^M\u{1b}[0mevil"),
        (
            "\u{1b}[" + String(repeating: "1", count: 33) + "m",
            "^[[" + String(repeating: "1", count: 33) + "m"
        ),
    ])
    func makesVisible(_ text: String, _ expected: String) {
        #expect(filter(Array(text.utf8)) == expected)
    }

    @Test(
        arguments: [
            ([0x9b, 0x41], "\\x9bA"), ([0xc0, 0x80], "\\xc0\\x80"),
            ([0xe2, 0x82, 0x41], "\\xe2\\x82A"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xe0, 0x80, 0x9b], "\\xe0\\x80\\x9b"),
            ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"), ([0xff], "\\xff"),
            ([0xc3, 0xc3, 0xa9], "\\xc3é"), ([0xe2, 0x1b, 0x5b, 0x4a], "\\xe2^[[J"),
        ] as [([UInt8], String)])
    func refusesMalformedUTF8(_ bytes: [UInt8], _ expected: String) {
        #expect(filter(bytes) == expected)
    }

    /// What is concealed would be on the screen for whoever copies it, and for nobody to see.
    @Test(arguments: [
        ("\u{1b}[8m", ""), ("\u{1b}[08m", ""), ("\u{1b}[8:1m", ""), ("\u{1b}[8;8m", ""),
        ("\u{1b}[1;8;31m", "\u{1b}[1;31m"), ("\u{1b}[;8m", "\u{1b}[m"),
        ("\u{1b}[38;5;8m", "\u{1b}[38;5;8m"), ("\u{1b}[38;5;8;8m", "\u{1b}[38;5;8m"),
        ("\u{1b}[48;2;8;8;8;8mx", "\u{1b}[48;2;8;8;8mx"), ("\u{1b}[38;8m", "\u{1b}[38m"),
        ("\u{1b}[38:5:8m", "\u{1b}[38:5:8m"), ("\u{1b}[38:5:1;8m", "\u{1b}[38:5:1m"),
        ("\u{1b}[28;18;80m", "\u{1b}[28;18;80m"),
    ])
    func nothingIsConcealed(_ text: String, _ expected: String) {
        #expect(filter(Array(text.utf8)) == expected)
    }

    @Test func coloursAreLeftOut() {
        var filter = TerminalFilter(showsColours: false)
        let text = filter.filter(Array("\u{1b}[31mred\u{1b}[0m \u{1b}[2J".utf8))
        #expect(String(decoding: text, as: UTF8.self) == "red ^[[2J")
        #expect(!filter.hasAttributes)
    }

    @Test func everyByteAloneIsHarmless() {
        for byte in UInt8.min...UInt8.max {
            for scalar in filter([byte]).unicodeScalars {
                #expect(
                    scalar.value >= 0x20 && scalar.value < 0x7f
                        || "\r\n\t".unicodeScalars.contains(scalar))
            }
        }
    }
}
