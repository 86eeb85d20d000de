import Foundation
import Testing

/// What an export leaves that is killed before its file has its name, and what becomes of it.
@Suite struct LeftoverTests {
    private static func partialFiles(_ provision: Executable) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: provision.home.path)
            .filter { $0.hasSuffix(".partial") }
    }

    #if os(Linux)
        @Test(arguments: [[], ["--watch"]]) func theNextExportRemovesIt(_ options: [String]) throws
        {
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                let file = provision.home.path + "/keys.csv"
                let command = ["export", "--format", "csv", "--output", file]
                let library = try PreloadedLibrary(
                    "killing", in: provision.home,
                    """
                    #include <signal.h>
                    int rename(const char *old, const char *new) { return raise(SIGKILL); }
                    """)
                let killed = try provision(in: library.preloaded(), command + options)
                #expect(killed.status == SIGKILL, "\(killed.standardError)")
                #expect(try Self.partialFiles(provision).count == 1)
                #expect(!FileManager.default.fileExists(atPath: file))

                if options.isEmpty {
                    #expect(try provision.run(Executable.url, command).status == 0)
                } else {
                    let watch = try BackgroundRun(provision, command + options)
                    #expect(watch.says("is written anew"), "\(watch.errorOutput)")
                    #expect(watch.interrupt() == 0)
                }
                #expect(try Self.partialFiles(provision).isEmpty)
                let content = try String(contentsOfFile: file, encoding: .utf8)
                #expect(content.contains("native,"))
            }
        }

        /// As in containers, where the first process has the same number each time.
        @Test func itsNumberMayBeTheNextOnes() throws {
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                let file = provision.home.path + "/keys.csv"
                try Data("half".utf8).write(to: URL(filePath: file + ".provision-7.partial"))
                let library = try PreloadedLibrary(
                    "numbering", in: provision.home, "int getpid(void) { return 7; }")
                let result = try provision(
                    in: library.preloaded(), ["export", "--format", "csv", "--output", file])
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try Self.partialFiles(provision).isEmpty)
            }
        }

        /// Two containers with one folder, whose first processes both have the number 7: what the one writes,
        /// the other does not touch, however it ends.
        @Test(arguments: [nil, SIGINT]) func theOtherOfItsNumberWritesOn(_ signal: Int32?) throws {
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                let file = provision.home.path + "/keys.csv"
                let other = file + ".provision-7.partial"
                try Data("half".utf8).write(to: URL(filePath: other))
                let descriptor = open(other, O_RDONLY | O_CLOEXEC)
                defer { close(descriptor) }
                try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
                let library = try PreloadedLibrary(
                    "seventh", in: provision.home,
                    """
                    #include <signal.h>
                    #include <stdlib.h>
                    #include <sys/stat.h>
                    #include <sys/syscall.h>
                    #include <unistd.h>
                    int getpid(void) { return 7; }
                    // While it looks at the other's, which is 4 octets long, before it makes its own.
                    int flock(int file, int operation) {
                        struct stat status;
                        if (getenv("SIGNAL") && fstat(file, &status) == 0 && status.st_size == 4)
                            raise(atoi(getenv("SIGNAL")));
                        return (int)syscall(SYS_flock, file, operation);
                    }
                    """)
                let result = try provision(
                    in: library.preloaded(signal.map { ["SIGNAL": "\($0)"] } ?? [:]),
                    ["export", "--format", "csv", "--output", file])
                #expect(result.status == (signal == nil ? 0 : 130), "\(result.standardError)")
                #expect(try Self.partialFiles(provision) == ["keys.csv.provision-7.partial"])
            }
        }
    #endif

    /// What is added to it while it is unfinished must not make it longer than a file system takes: 255 octets.
    @Test(arguments: ["k", "\u{20AC}"]) func aLongNameIsNoObstacle(_ letter: String) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let count = 255 / letter.utf8.count
            let file = provision.home.path + "/" + String(repeating: letter, count: count)
            let command = ["export", "--format", "csv", "--output"]
            let result = try provision.run(Executable.url, command + [file])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("native,"))
            try provision.run(Executable.url, command + [file + letter])
                .expectError("usage", status: 2, "File name too long")
            #expect(try Self.partialFiles(provision).isEmpty)
        }
    }

    /// One that a process has locked is being written; another name is another's.
    @Test func onlyLeftoversAreRemoved() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let file = provision.home.path + "/keys.csv"
            let others = [
                "keys.csv.provision-new.partial", "other.csv.provision-1.partial",
                "keys.csv.provision-.partial", "keys.csv.2024.partial",
            ]
            for name in others + ["keys.csv.provision-1.partial"] {
                try Data("half".utf8).write(to: provision.home.appending(path: name))
            }
            let descriptor = open(file + ".provision-1.partial", O_RDONLY | O_CLOEXEC)
            try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            let command = ["export", "--format", "csv", "--output", file]
            #expect(try provision.run(Executable.url, command).status == 0)
            #expect(try Self.partialFiles(provision).count == others.count + 1)
            close(descriptor)
            #expect(try provision.run(Executable.url, command).status == 0)
            #expect(try Self.partialFiles(provision).sorted() == others.sorted())
        }
    }
}
