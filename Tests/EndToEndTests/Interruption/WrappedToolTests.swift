import Foundation
import Testing

/// `kill` and a closed terminal reach a flash tool as Ctrl-C does: with all that it has started, in whatever
/// session, and however deaf.
@Suite struct WrappedToolTests {
    enum Way: String, CaseIterable, Sendable {
        /// The platform's own flash command, alone and in a whole run.
        case flash, run
        /// The user's, behind `--`.
        case given
        /// One that goes on, and prints the log.
        case monitored, monitoredInTerminal

        /// A tool that never ends, with a child, and one in a session of its own, which take no notice of being
        /// asked to end. In some ways the tool does, and ends before them.
        var script: String {
            let deaf = #"trap "" INT TERM HUP;"#
            let isToolDeaf = [.flash, .given, .monitored].contains(self)
            return
                "\(isToolDeaf ? deaf : "")(\(deaf)sleep 600;true) & "
                + #"(\#(deaf)exec setsid sh -c "true;sleep 601;true") & true;sleep 602;true"#
        }
        static let processes = ["sleep 600", "sleep 601", "sleep 602"]

        func arguments(_ desk: OneWayDesk, port: String) throws -> [String] {
            let tool = ["/bin/sh", "-c", script, "tool"]
            let monitor =
                switch self {
                case .monitored: "monitor = true"
                case .monitoredInTerminal: "monitor = true\nmonitor-terminal = true"
                case .flash, .run, .given: ""
                }
            let command = (tool + ["{image}"]).map { "'''\($0)'''" }.joined(separator: ", ")
            let platform = try desk.platform(
                "slow",
                """
                [flash]
                method = "command"
                command = [\(command)]
                \(monitor)
                [channel]
                kind = "uart"
                \(monitor.isEmpty ? "" : "[report]\nfrom = \"flasher\"")
                [timeouts]
                boot-ms = 600000
                """)
            let image = ["--firmware", "/bin/true"]
            switch self {
            case .flash: return ["flash", "--port", port] + image + platform
            case .run: return ["run", "--port", port] + image + platform
            case .monitored, .monitoredInTerminal: return ["run"] + image + platform
            case .given: return ["run", "--port", port] + platform + ["--"] + tool
            }
        }
    }

    @Test(arguments: Way.allCases, [SIGTERM, SIGHUP])
    func itsWholeTreeEnds(way: Way, signal: Int32) throws {
        try OneWayDesk.with { desk in
            let line = try HostileLine { line in while line.receive() != nil {} }
            defer { line.close() }
            let leftovers = Leftovers(of: desk.provision)
            let run = try TerminalRun(
                desk.provision, Executable.url.path,
                way.arguments(desk, port: line.port))
            defer { run.close() }
            for process in Way.processes {
                // Behind its process ID, and not in the script.
                try #require(leftovers.include(" \(process)", within: 60), "\(run.output)")
            }
            kill(try #require(run.process(named: "provision")), signal)
            #expect(run.status() == 130, "\(run.output)")
            #expect(leftovers.processes() == [])
            #expect(run.isTerminalRestored)
            #expect(run.output.contains("error[interrupted]"), "\(run.output)")
            #expect(try desk.provision.isRecordSound())
        }
    }
}
