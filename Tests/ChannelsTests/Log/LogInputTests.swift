import CHost
import Foundation
import Provisioning
import Testing

@testable import Channels

/// Logs that come from elsewhere.
@Suite struct LogInputTests {
    let folder: TemporaryFolder
    let path: String
    let interruption: Interruption

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/log"
        interruption = try Interruption()
    }

    private func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private func append(_ text: String) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func text(_ log: any Channel) throws -> String {
        String(decoding: try log.read(atMost: 100, within: .seconds(60)), as: UTF8.self)
    }

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ProvisioningError)?.code
        }
    }

    @Test func aFileIsReadToItsEnd() throws {
        try write("one\ntwo\n")
        let log = try LogInput(path: path, skips: false, interruption: interruption)
        #expect(log.isFile)
        #expect(try log.read(atMost: 4, within: .zero) == Array("one\n".utf8))
        #expect(try text(log) == "two\n")
        #expect(code { _ = try text(log) } == .channelClosed)
        #expect(code { try log.write([1], within: .zero) } == .channelUnavailable)
        log.close()
        #expect(code { _ = try text(log) } == .channelClosed)
    }

    @Test func whatAFileHeldBeforeCanBeSkipped() throws {
        try write("before\n")
        let log = try LogInput(path: path, skips: true, interruption: interruption)
        #expect(code { _ = try text(log) } == .channelClosed)
    }

    @Test func aPipeWithANameIsAwaited() throws {
        try #require(mkfifo(path, 0o600) == 0)
        let log = try LogInput(path: path, skips: false, interruption: interruption)
        #expect(!log.isFile)
        #expect(try log.read(atMost: 9, within: .milliseconds(1)).isEmpty)
        let writer = try #require(try? FileHandle(forWritingTo: URL(filePath: path)))
        try writer.write(contentsOf: Data("hello".utf8))
        #expect(try text(log) == "hello")
        #expect(try log.read(atMost: 9, within: .milliseconds(1)).isEmpty)
        try writer.close()
        #expect(code { _ = try text(log) } == .channelClosed)
    }

    @Test func aFileThatGrowsIsFollowed() throws {
        try write("old\n")
        let log = try GrowingLog(path: path, skips: true, interruption: interruption)
        #expect(!log.isFile)
        #expect(try log.read(atMost: 9, within: .milliseconds(30)).isEmpty)
        try append("new\n")
        #expect(try text(log) == "new\n")
        // Its writer begins anew.
        try write("x")
        #expect(try text(log) == "x")
        #expect(code { try log.write([1], within: .zero) } == .channelUnavailable)
    }

    @Test func nothingElseIsALog() throws {
        for path in [folder.path, folder.path + "/missing"] {
            #expect(
                code {
                    _ = try LogInput(path: path, skips: false, interruption: interruption)
                } == .channelUnavailable, "\(path)")
        }
        try #require(mkfifo(path, 0o600) == 0)
        #expect(
            code {
                _ = try GrowingLog(path: path, skips: false, interruption: interruption)
            } == .usage)
    }

    @Test func aWaitIsInterrupted() throws {
        try write("")
        let log = try GrowingLog(path: path, skips: false, interruption: interruption)
        interruption.interrupt()
        #expect(code { _ = try text(log) } == .interrupted)
    }
}

/// Flash tools that go on running and print the log.
@Suite struct MonitoringFlasherTests {
    let folder: TemporaryFolder
    let image: FirmwareImage
    let interruption: Interruption

    init() throws {
        folder = try TemporaryFolder()
        image = FirmwareImage(path: folder.path + "/image")
        try Data([1, 2, 3]).write(to: URL(filePath: image.path))
        interruption = try Interruption()
    }

    private func flasher(_ script: String, usesTerminal: Bool = false) throws -> MonitoringFlasher {
        let template = try CommandTemplate(["/bin/sh", "-c", script, "{image}"])
        return MonitoringFlasher(
            CommandFlasher(
                .init(flash: template), runner: CommandRunner(interruption: interruption) { _ in }),
            usesTerminal: usesTerminal, interruption: interruption)
    }

    /// What comes until `end` is in it, or the log is at its end.
    private func read(_ log: MonitorLog, until end: String = "\u{0}") throws -> (
        text: String, error: ProvisioningError?
    ) {
        var text = ""
        do throws(ProvisioningError) {
            while !text.contains(end) {
                text += String(
                    decoding: try log.read(atMost: 64, within: .seconds(60)), as: UTF8.self)
            }
            return (text, nil)
        } catch {
            return (text, error)
        }
    }

    @Test(arguments: [false, true]) func bothOutputsAreTheLog(_ usesTerminal: Bool) throws {
        let flasher = try flasher(
            #"echo "flashing $0"; echo problem >&2; [ -t 1 ] && echo tty; exec sleep 1000"#,
            usesTerminal: usesTerminal)
        let receipt = try flasher.flash(image, erasing: false)
        let (text, error) = try read(flasher.log, until: usesTerminal ? "tty\n" : "problem\n")
        #expect(error == nil)
        #expect(text.hasPrefix("flashing \(image.path)\nproblem\n"))
        try flasher.check(image, is: receipt)
        // As Ctrl-C does.
        #expect(flasher.close() == .signalled(SIGINT))
        #expect(flasher.close() == .signalled(SIGINT))
    }

    @Test(arguments: [false, true]) func aToolThatFailsHasNotFlashed(_ usesTerminal: Bool) throws {
        let flasher = try flasher("echo no probe; exit 3", usesTerminal: usesTerminal)
        _ = try flasher.flash(image, erasing: false)
        let (_, error) = try read(flasher.log)
        #expect(error?.code == .flashFailed)
        #expect(error?.reason.contains("ended with status 3") == true)
        #expect(error?.reason.contains("no probe") == true)
        #expect(error?.hint != nil)
    }

    /// Once the firmware has said something, the end of the tool is the end of the log.
    @Test func aToolThatEndsLaterEndsTheLog() throws {
        let flasher = try flasher("echo hello; exit 3")
        let receipt = try flasher.flash(image, erasing: false)
        _ = try read(flasher.log, until: "hello")
        try flasher.check(image, is: receipt)
        let (_, error) = try read(flasher.log)
        #expect(error?.code == .channelClosed)
        #expect(error?.reason.contains("ended with status 3") == true)
        #expect(try flasher.log.hasFailed)
    }

    @Test func aToolThatEndsWellEndsTheLog() throws {
        let flasher = try flasher("echo hello")
        _ = try flasher.flash(image, erasing: false)
        let (text, error) = try read(flasher.log)
        #expect(text == "hello\n")
        #expect(error?.code == .channelClosed)
        #expect(try !flasher.log.hasFailed)
    }

    @Test func anImageThatChangesIsNoticed() throws {
        let flasher = try flasher("echo hello; exec sleep 1000")
        let receipt = try flasher.flash(image, erasing: false)
        _ = try read(flasher.log, until: "hello")
        try Data([9]).write(to: URL(filePath: image.path))
        #expect(throws: ProvisioningError(.flashFailed, "")) {
            try flasher.check(image, is: receipt)
        }
        flasher.close()
    }

    @Test func aToolThatIgnoresCtrlCIsEndedAllTheSame() throws {
        let flasher = try flasher("trap '' INT TERM; echo hello; while :; do sleep 1; done")
        _ = try flasher.flash(image, erasing: false)
        _ = try read(flasher.log, until: "hello")
        #expect(flasher.close() == .signalled(SIGKILL))
    }

    @Test func thereIsNoLogBeforeIt() throws {
        let flasher = try flasher("true")
        #expect(throws: ProvisioningError(.usage, "")) { try flasher.log }
        #expect(flasher.close() == nil)
    }

    @Test func aMissingToolIsNamed() throws {
        let template = try CommandTemplate(["no-such-tool", "{image}"])
        let flasher = MonitoringFlasher(
            CommandFlasher(
                .init(flash: template), runner: CommandRunner(interruption: interruption) { _ in }),
            usesTerminal: false, interruption: interruption)
        #expect(throws: ProvisioningError(.flashFailed, "")) {
            try flasher.flash(image, erasing: false)
        }
    }
}
