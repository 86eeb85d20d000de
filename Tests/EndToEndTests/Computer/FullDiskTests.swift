import Foundation
import Testing

#if os(Linux)
    /// No room at any write: a small file system of its own, in a namespace, with so many bytes free.
    @Suite struct FullDiskTests {
        /// What a run needs in a new home is some 360 KiB, in an old one some 100. Each figure hits other
        /// writes, the last ones none.
        static let amounts =
            [
                0, 4, 60, 108, 116, 132, 148, 156, 164, 172, 180, 192, 204, 236, 256, 288, 320, 352,
                2000,
            ]

        @Test(.enabled(if: SmallDisk.isPossible, "no namespaces here, and no root"))
        func aNewHomeAtEveryWrite() throws {
            let disk = try SmallDisk()
            defer { disk.end() }
            var failures: Set<String> = []
            for amount in Self.amounts {
                try disk.clear()
                try disk.fill(leaving: amount)
                let result = try disk.run(Executable.nativeRun())
                if amount == Self.amounts.last {
                    #expect(result.status == 0, "\(result.standardError)")
                } else {
                    failures.insert(try #require(result.errorCode, "\(amount) KiB are enough"))
                    #expect([5, 8, 9].contains(result.status), "\(result.standardError)")
                    #expect(
                        result.hint?.contains("make room on the disk") == true,
                        "\(amount) KiB: \(result.standardError)")
                }
                try disk.expectToContinue("\(amount) KiB")
            }
            // The sweep met registry, authority and emulated board.
            #expect(
                failures == ["registry-unavailable", "authority-unavailable", "emulator-failed"])
        }

        /// What was promised before stays: the key is the registered one, or revoked by its successor.
        @Test(.enabled(if: SmallDisk.isPossible, "no namespaces here, and no root"))
        func anOldHomeAtEveryWrite() throws {
            let disk = try SmallDisk()
            defer { disk.end() }
            let first = try disk.run(Executable.nativeRun())
            #expect(first.status == 0, "\(first.standardError)")
            var keys: Set<String> = [try #require(try first.json()["thumbprint"] as? String)]
            var failureCount = 0
            for amount in [0, 4, 8, 16, 28, 36, 44, 60, 76, 92, 108] {
                try disk.fill(leaving: amount)
                let result = try disk.run(Executable.nativeRun("--erase"))
                if result.status != 0 {
                    failureCount += 1
                    #expect(result.hint?.contains("make room") == true, "\(result.standardError)")
                }
                try disk.expectToContinue("\(amount) KiB")
                let now = try disk.keys()
                #expect(Set(now.keys).isSuperset(of: keys))
                keys = Set(now.keys)
            }
            #expect(failureCount > 3)
        }

        /// As `ulimit -f`: the signal that comes with it must not end the run without a word.
        @Test(
            .disabled(if: Executable.sanitizer == "thread", mapsFileAtStart),
            arguments: [0, 1, 40, 104, 112, 120])
        func aLimitOnTheSizeOfFiles(blocks: Int) throws {
            try Executable.withHome { provision in
                // The outputs are pipes: they are no files.
                let script = """
                    set -o pipefail
                    { (ulimit -f \(blocks); exec "$@") 2>&1 1>&3 | cat >&2; } 3>&1 | cat
                    """
                let arguments =
                    try ["-c", script, "bash", Executable.url.path] + Executable.nativeRun()
                let result = try provision.run(URL(filePath: "/bin/bash"), arguments)
                #expect([5, 8, 9].contains(result.status), "\(result.standardError)")
                #expect(result.hint?.isEmpty == false, "\(result.standardError)")
                try provision.expectToContinue()
            }
        }

        /// The result of a run that is done, and has nowhere to go.
        @Test(.enabled(if: SmallDisk.isPossible, "no namespaces here, and no root"))
        func aReportAndAnExportOnAFullDisk() throws {
            let disk = try SmallDisk()
            defer { disk.end() }
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                try disk.fill(leaving: 0)
                let files = try FileManager.default.contentsOfDirectory(atPath: disk.outside)
                for command in [
                    try Executable.nativeRun("--report", disk.inside + "/report.json"),
                    ["export", "--format", "csv", "--output", disk.inside + "/keys.csv"],
                ] {
                    let result = try disk.run(command, home: provision.home.path)
                    result.expectError("usage", status: 2, disk.inside, "No space left on device")
                    #expect(result.hint?.contains("make room on its disk") == true)
                }
                // Not even an empty file stays.
                #expect(try FileManager.default.contentsOfDirectory(atPath: disk.outside) == files)
                try provision.expectToContinue()
            }
        }

        /// No room for temporary files, neither for bytes nor for names: nothing needs them.
        @Test(
            .enabled(if: SmallDisk.isPossible, "no namespaces here, and no root"),
            .disabled(if: Executable.sanitizer == "thread", mapsFileAtStart))
        func aFullFolderForTemporaryFiles() throws {
            let disk = try SmallDisk(at: "/tmp")
            defer { disk.end() }
            try disk.fill(leaving: 0)
            // Homes are in /tmp too, unless they are elsewhere.
            let home = Executable.packageRoot.appending(path: ".build/home-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: home) }
            let arguments = [
                "run", "--platform", "microbit-qemu", "--firmware", try Firmware.microbit(),
                "--detach",
            ]
            let full = try disk.run(arguments, home: home.path)
            #expect(full.status == 0, "\(full.standardError)")
            try disk.takeAllNames()
            let nameless = try disk.run(arguments, home: home.path)
            #expect(nameless.status == 0, "\(nameless.standardError)")
            let record = try disk.run(["registry", "verify"], home: home.path)
            #expect(record.status == 0, "\(record.standardError)")
            let provision = Executable(home: home)
            #expect(try provision("registry", "verify").status == 0)
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    /// The thread sanitizer: one of its own in the folder for temporary files.
    private let mapsFileAtStart: Comment = "its start needs a file"

    /// A tmpfs of 4 MiB that only the processes of one namespace see. It ends with them.
    private final class SmallDisk {
        /// Its path for what `run` starts.
        let inside: String
        private let folder: URL
        private let process = Process()
        private let output = Pipe()
        private let hold = Pipe()
        private var home: String { inside + "/home" }
        /// Its path for this process, which is not in the namespace.
        var outside: String { "/proc/\(process.processIdentifier)/root\(inside)" }

        static let isPossible: Bool = {
            let probe = Process()
            probe.executableURL = URL(filePath: "/usr/bin/unshare")
            probe.arguments = ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
            probe.standardInput = FileHandle.nullDevice
            probe.standardError = FileHandle.nullDevice
            guard (try? probe.run()) != nil else { return false }
            probe.waitUntilExit()
            return probe.terminationStatus == 0
        }()

        init(at path: String? = nil) throws {
            folder = FileManager.default.temporaryDirectory
                .appending(path: "provision-disk-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            inside = path ?? folder.path
            process.executableURL = URL(filePath: "/usr/bin/unshare")
            // It ends with its input, and so with this process.
            // The package may be below the folder that is covered.
            let script = """
                mount --rbind "$1" /mnt && mount -t tmpfs -o size=4m,nr_inodes=256 none "$0" && mkdir -p "$1" &&
                mount --rbind /mnt "$1" && echo ready && exec cat
                """
            process.arguments = [
                "-Urm", "/bin/sh", "-c", script, inside, Executable.packageRoot.path,
            ]
            process.standardInput = hold
            process.standardOutput = output
            try process.run()
            try #require(!output.fileHandleForReading.availableData.isEmpty)
        }

        func end() {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            hold.close()
            output.close()
            try? FileManager.default.removeItem(at: folder)
        }

        func clear() throws {
            for name in try FileManager.default.contentsOfDirectory(atPath: outside) {
                try FileManager.default.removeItem(atPath: outside + "/" + name)
            }
        }

        /// KiB. What filled it before is gone.
        func fill(leaving amount: Int) throws {
            try makeRoom()
            var status = statvfs()
            try #require(statvfs(outside, &status) == 0)
            let free = Int(status.f_bavail) * Int(status.f_frsize)
            let bytes = [UInt8](repeating: 0, count: max(0, free - amount * 1024))
            try Data(bytes).write(to: URL(filePath: outside + "/filler"))
        }

        /// As many files as there may be.
        func takeAllNames() throws {
            try makeRoom()
            for number in 0..<1000 {
                let path = outside + "/name-\(number)"
                guard FileManager.default.createFile(atPath: path, contents: nil) else { return }
            }
            Issue.record("1000 files fit")
        }

        func makeRoom() throws {
            let filler = outside + "/filler"
            if FileManager.default.fileExists(atPath: filler) {
                try FileManager.default.removeItem(atPath: filler)
            }
        }

        func run(_ arguments: [String], home: String? = nil) throws -> Executable.Result {
            let provision = Executable(home: URL(filePath: home ?? self.home))
            return try provision.run(
                URL(filePath: "/usr/bin/nsenter"),
                [
                    "-t", "\(process.processIdentifier)", "-U", "-m", "--preserve-credentials",
                    "-w", "--", Executable.url.path,
                ] + arguments)
        }

        /// State by thumbprint.
        func keys() throws -> [String: String] {
            let keys = try run(["keys", "--json"]).json()["keys"] as? [[String: Any]]
            return try #require(keys).reduce(into: [:]) { states, key in
                states[try #require(key["thumbprint"] as? String)] = key["state"] as? String
            }
        }

        /// With room again: the next run ends well, and one key of the device is in force.
        func expectToContinue(_ comment: Comment) throws {
            try makeRoom()
            let next = try run(Executable.nativeRun())
            #expect(next.status == 0, "\(comment): \(next.standardError)")
            let record = try run(["registry", "verify"])
            #expect(record.status == 0, "\(comment): \(record.standardError)")
            let states = try keys().values
            #expect(states.count { $0 == "active" } == 1, comment)
            #expect(!states.contains("pending"), comment)
            let left = try FileManager.default.contentsOfDirectory(atPath: outside + "/home")
            #expect(
                Set(left).isSubset(of: [
                    "authority", "emulated", "locks", "registry.sqlite", "registry.sqlite-head",
                ]), "\(comment): \(left)")
        }
    }
#endif
