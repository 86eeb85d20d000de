import CHost
import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct ModemSequenceTests {
    @Test func namesAreSequences() throws {
        #expect(try ModemSequence.parse(["none"]) == nil)
        for (name, text) in [
            ("dtr", "dtr=0 wait=100 dtr=1"),
            ("arduino", "dtr=0,rts=0 wait=250 dtr=1,rts=1 wait=50"),
            ("esp", "dtr=0,rts=1 wait=100 rts=0"),
        ] {
            #expect(ModemSequence.names.contains(name))
            let sequence = try #require(try ModemSequence.parse([name]))
            #expect(sequence.description == text)
            // What is printed can be said.
            #expect(
                try ModemSequence.parse(text.split(separator: " ").map(String.init)) == sequence)
        }
    }

    @Test(arguments: [
        "", "dtr", "dtr=2", "rts=", "dtr=0,dtr=1", "wait=0", "wait=-1", "wait=1.5", "wait=999999",
        "wait=5,dtr=0", "dtr=0,", "DTR=0", "none",
    ])
    func noStep(_ word: String) {
        let error = expectError(.usage) { () throws(ProvisioningError) in
            try ModemSequence.parse(["dtr=0", word])
        }
        #expect(error?.reason.contains("\"\(word)\"") == true)
    }

    @Test func sequencesAreBounded() throws {
        #expect(try ModemSequence.parse(Array(repeating: "dtr=0", count: 32))?.steps.count == 32)
        for words in [[], Array(repeating: "dtr=0", count: 33), ["wait=60000", "wait=1"]] {
            expectError(.usage) { () throws(ProvisioningError) in try ModemSequence.parse(words) }
        }
    }

    /// A pseudo-terminal has no modem lines. See ModemLineTests for a port that does.
    @Test func linesThatAreNotThere() throws {
        let pty = try UnopenedPort()
        let port = try SerialPort(
            path: pty.path, baud: 115_200, interruption: try Interruption())
        defer { port.close() }
        #expect(port.isPseudoTerminal)
        for sequence in [ModemSequence.esp, .dtr, .hangUp] {
            let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
                try port.perform(sequence)
            }
            #expect(error?.reason.contains(pty.path) == true)
            #expect(error?.reason.contains("dtr=0") == true)
        }
    }

    @Test(arguments: [
        (FlowControl.none, ["-crtscts", "-ixon", "-ixoff"]),
        (.rtsCTS, ["crtscts", "-ixon", "-ixoff"]),
        (.xonXOFF, ["-crtscts", "ixon", "ixoff", "start = ^Q", "stop = ^S"]),
    ])
    func flowControlIsSet(_ flowControl: FlowControl, _ expected: [String]) throws {
        let pty = try UnopenedPort()
        let port = try SerialPort(
            path: pty.path, baud: 115_200, flowControl: flowControl,
            interruption: try Interruption())
        defer { port.close() }
        let settings = try terminalSettings(of: pty.path)
        for setting in expected {
            #expect(settings.contains { $0 == setting }, "\(setting) in \(settings)")
        }
        #expect(settings.contains("-hupcl"), "closing must not drop DTR")
    }

    /// A port that is closed keeps its lines, whatever it had before.
    @Test func closingDropsNoLine() throws {
        let pty = try UnopenedPort()
        let witness = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(witness) }
        var before = termios()
        #expect(tcgetattr(witness, &before) == 0)
        before.c_cflag |= tcflag_t(HUPCL)
        #expect(tcsetattr(witness, TCSANOW, &before) == 0)
        let port = try SerialPort(
            path: pty.path, baud: 9600, interruption: try Interruption())
        port.close()
        var after = termios()
        #expect(tcgetattr(witness, &after) == 0)
        #expect(after.c_cflag & tcflag_t(HUPCL) == 0)
        #expect(after.c_iflag == before.c_iflag && after.c_lflag == before.c_lflag)
    }
}

/// What `stty -a` says, setting by setting.
private func terminalSettings(of path: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/stty")
    process.arguments = ["-a", "-F", path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    return lines.flatMap { $0.components(separatedBy: $0.contains(";") ? "; " : " ") }
}
