import Foundation
import Testing

/// Kill -9 of a run that only reads a board's log, and of the register step in the middle of what it writes:
/// the next run finishes.
@Suite struct LogKillTests {
    @Test(arguments: ["evidence", "appraise", "register"])
    func afterEachStep(step: String) throws {
        try OneWayDesk.with { desk in
            let arguments = try Self.arguments(desk, "device")
            // Its result is not read before the kill: it does not end by itself.
            let run = try KillableRun(desk.provision, arguments, output: FullPipe())
            #expect(run.says(step), "\(run.errorOutput)")
            #expect(try run.kill(.run) == SIGKILL, "\(run.errorOutput)")
            #expect(run.hasKilled)
            try expectNextRun(desk, arguments, "killed after \(step)")
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }

    /// Each write of the registry's files, and each time that it is made to last, is a moment; of some eighty,
    /// every third is tried.
    @Test(arguments: Executable.sample([0, 3, 6])) func inAWriteOfTheRegistry(first: Int) throws {
        try Executable.withHome { scratch in
            let library = try PreloadedLibrary("killing", in: scratch.home, Self.source)
            try OneWayDesk.with { desk in
                // There is an authority, and a registry, whose beginning is not the device's.
                _ = try desk.json(try Self.arguments(desk, "before"))
                var moments = 0
                for moment in stride(from: first, to: 600, by: 9) {
                    let arguments = try Self.arguments(desk, "device-\(moment)")
                    let run = try desk.provision(
                        in: library.preloaded(["KILL_AT": "\(moment)"]), arguments)
                    guard run.status != 0 else { break }
                    #expect(run.status == SIGKILL, "write \(moment): \(run.standardError)")
                    moments += 1
                    try expectNextRun(desk, arguments, "killed in write \(moment)")
                }
                #expect((4..<50).contains(moments), "\(moments)")
                // One of each device: of those that were killed, of the one before and of the one behind.
                #expect(try desk.provision.keys()["active"]?.count == moments + 2)
                #expect(try desk.provision.keys().count == 1)
            }
        }
    }

    /// A number of writes, from the start, behind which the process dies.
    private static let source = #"""
        #include <dlfcn.h>
        #include <signal.h>
        #include <stdatomic.h>
        #include <stdlib.h>
        #include <unistd.h>

        static atomic_int count;

        static void pass(void) {
            if (atomic_fetch_add(&count, 1) == atoi(getenv("KILL_AT"))) raise(SIGKILL);
        }

        ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
            static ssize_t (*real)(int, const void *, size_t, off64_t);
            if (!real) real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
            pass();
            return real(file, bytes, length, offset);
        }

        int fdatasync(int file) {
            static int (*real)(int);
            if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
            pass();
            return real(file);
        }
        """#

    private static func arguments(_ desk: OneWayDesk, _ device: String) throws -> [String] {
        let log = try desk.file("log-\(device)", desk.bootLog(device))
        return ["enroll", "--platform", "native", "--log", log, "--json"]
    }

    /// It ends well, and the device has one key that is in force.
    private func expectNextRun(
        _ desk: OneWayDesk, _ arguments: [String], _ comment: Comment
    ) throws {
        let result = try desk.run(arguments)
        try #require(result.status == 0, "\(comment): \(result.standardError)")
        let report = try result.json()
        #expect(report["keyState"] as? String == "active", comment)
        let device = try #require(report["device"] as? String)
        let keys = try #require(
            try desk.provision("keys", "--device", device, "--json").json()["keys"]
                as? [[String: Any]])
        #expect(keys.count == 1, comment)
        #expect(keys.first?["thumbprint"] as? String == report["thumbprint"] as? String, comment)
        #expect(try desk.provision("registry", "verify").status == 0, comment)
    }
}
