import Foundation
import Provisioning
import Synchronization
import Testing

@testable import Channels

#if os(Linux)
    @Suite struct ProcessTreeTests {
        /// Signals that are only written down.
        private final class Log: Sendable {
            private let entries = Mutex<[(process: pid_t, signal: Int32)]>([])

            func send(_ process: pid_t, _ signal: Int32) -> Int32 {
                entries.withLock { $0.append((process, signal)) }
                return 0
            }

            func processes(with signal: Int32) -> Set<pid_t> {
                Set(entries.withLock { $0 }.filter { $0.signal == signal }.map(\.process))
            }

            var isEmpty: Bool { entries.withLock { $0.isEmpty } }
        }

        /// Below 0 and 1 is every process there is; −1 is every process to kill(2), others are groups.
        @Test(arguments: [1, 0, -1, -getpgrp(), .min])
        func signalsNobodyForARootThatIsNoChild(_ root: pid_t) {
            let log = Log()
            let tree = ProcessTree(stoppingAllBelow: root, send: log.send)
            tree.signal(SIGKILL)
            #expect(log.isEmpty)
        }

        /// It ends as soon as nobody is there for it; its child is in a session of its own.
        @Test func anAdapterLeavesNothingBehind() throws {
            let folder = try TemporaryFolder()
            let path = try folder.file(
                "provision-platform-forking",
                Array(
                    """
                    #!/bin/sh
                    setsid /bin/sh -c 'echo $$ > "$0.part"; mv "$0.part" "$0.pid"; exec sleep 600' "$0" &
                    read line
                    exit 0
                    """.utf8))
            try #require(chmod(path, 0o700) == 0)
            let adapter = try AdapterProcess(
                AdapterProgram(path: path), interruption: try Interruption()
            ) { _ in }
            let deadline = Deadline(within: .seconds(60))
            while !FileManager.default.fileExists(atPath: path + ".pid"), !deadline.isPast {
                usleep(10_000)
            }
            let text = try String(contentsOfFile: path + ".pid", encoding: .utf8)
            let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            defer { if isRunning(process) { kill(process, SIGKILL) } }
            // Between two programs it has no command line, either.
            while !isRunning(process), !deadline.isPast { usleep(10_000) }
            try #require(isRunning(process))
            adapter.end()
            #expect(adapter.ending == .exited(0))
            let end = Deadline(within: .seconds(60))
            while isRunning(process), !end.isPast { usleep(10_000) }
            #expect(!isRunning(process))
        }

        /// Who has ended has no command line, reaped or not.
        private func isRunning(_ process: pid_t) -> Bool {
            let command = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            return command?.isEmpty == false
        }

        @Test(arguments: ProcessTree.Source.allCases)
        func signalsWhatIsBelowTheRootAndNothingElse(_ source: ProcessTree.Source) throws {
            let folder = try TemporaryFolder()
            let list = folder.path + "/children"
            // Two children, one with a session and a child of its own.
            let script = """
                sleep 60 & echo $! > "$1"
                setsid /bin/sh -c 'sleep 60 & echo $$ $! >> "$1"; wait' sh "$1" &
                wait
                """
            let child = try ChildProcess(
                Command(["/bin/sh", "-c", script, "sh", list]), failure: .internalFailure)
            let deadline = Deadline(within: .seconds(60))
            // Written by the shells themselves: a program that did would be below the root, too.
            var lines: [Substring] = []
            while lines.count < 2, !deadline.isPast {
                usleep(10_000)
                let text = (try? String(contentsOfFile: list, encoding: .utf8)) ?? ""
                lines = text.split(separator: "\n")
            }
            let expected = Set(lines.flatMap { $0.split(separator: " ") }.compactMap { pid_t($0) })
            try #require(expected.count == 3)
            let log = Log()
            let tree = ProcessTree(
                stoppingAllBelow: child.processID, source: source, send: log.send)
            tree.signal(SIGKILL)
            #expect(log.processes(with: SIGSTOP) == expected)
            #expect(log.processes(with: SIGKILL) == expected)
            child.terminate(grace: .zero)
        }
    }
#endif
