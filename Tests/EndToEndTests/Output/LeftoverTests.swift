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
    #endif

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
