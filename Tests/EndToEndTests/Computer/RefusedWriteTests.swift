import Foundation
import Testing

#if os(Linux)
    /// No room from one write on: each write of a run in its turn, of the tool and of all that it starts.
    @Suite struct RefusedWriteTests {
        private static let workers = 4
        /// Each worker's first write, and how many further the next one is. With `PROVISION_TEST_THOROUGH=1`
        /// every write is one's turn, which are some 700 (four minutes on four cores).
        private static let step =
            ProcessInfo.processInfo.environment["PROVISION_TEST_THOROUGH"] == "1" ? 1 : 9

        /// Writes before the board is started: of the registry, and then eight of the authority.
        private static let beforeTheBoard = 60

        /// - Parameter early: which of the first writes are turns besides.
        private static func turns(of worker: Int, early: StrideTo<Int>? = nil) -> [Int] {
            let turns = stride(from: worker * step, to: 10_000, by: workers * step)
            return Set(turns).union(early.map(Array.init) ?? []).sorted()
        }

        @Test(
            .disabled(if: Executable.isSanitized, comesFirst),
            arguments: 0..<workers)
        func aNewHome(worker: Int) throws {
            let disk = try RefusingDisk()
            defer { disk.remove() }
            var codes: Set<String> = [], hasSucceeded = false
            let early = stride(from: 0, to: worker == 0 ? Self.beforeTheBoard : 0, by: 6)
            for first in Self.turns(of: worker, early: early) {
                let isMet = try Executable.withHome { provision in
                    let (result, isMet) = try disk.run(
                        provision, Executable.nativeRun(), from: first)
                    expect(result, isMet, &hasSucceeded, "from write \(first) on")
                    if let code = result.errorCode { codes.insert(code) }
                    try provision.expectToContinue()
                    #expect(try provision.keys()["pending"] == nil, "from write \(first) on")
                    return isMet
                }
                if !isMet { break }
            }
            #expect(
                codes == ["registry-unavailable", "authority-unavailable", "emulator-failed"]
                    || worker > 0 && codes.count >= 2, "\(codes)")
        }

        /// What was promised before stays: no key is forgotten.
        @Test(
            .disabled(if: Executable.isSanitized, comesFirst),
            arguments: 0..<workers)
        func anOldHome(worker: Int) throws {
            let disk = try RefusingDisk()
            defer { disk.remove() }
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                var known = Set(try provision.keys().values.joined()), hasSucceeded = false
                for first in Self.turns(of: worker) {
                    let (result, isMet) = try disk.run(
                        provision, Executable.nativeRun("--erase"), from: first)
                    expect(result, isMet, &hasSucceeded, "from write \(first) on")
                    try provision.expectToContinue()
                    let keys = try provision.keys()
                    #expect(keys["pending"] == nil, "from write \(first) on")
                    #expect(known.isSubset(of: keys.values.joined()), "from write \(first) on")
                    known = Set(keys.values.joined())
                    if !isMet { break }
                }
            }
        }

        /// The emulator writes the board's memory by itself, through the C library's streams.
        @Test(
            .disabled(if: Executable.isSanitized, comesFirst),
            arguments: [0, 60, 70, 78, 90, 150, 400])
        func aBoardInQEMU(first: Int) throws {
            let disk = try RefusingDisk()
            defer { disk.remove() }
            try Executable.withHome { provision in
                let arguments = [
                    "run", "--platform", "microbit-qemu", "--firmware", try Firmware.microbit(),
                    "--detach", "--json",
                ]
                let (result, isMet) = try disk.run(provision, arguments, from: first)
                var hasSucceeded = false
                expect(result, isMet, &hasSucceeded, "from write \(first) on")
                #expect(isMet && !hasSucceeded)
                let next = try provision.run(Executable.url, arguments)
                #expect(next.status == 0, "\(next.standardError)")
                #expect(try provision("registry", "verify").status == 0)
                let keys = try provision.keys()
                #expect(keys["active"]?.count == 1 && keys["pending"] == nil)
            }
        }

        /// - Parameter hasSucceeded: whether an earlier turn did: from then on, only what does not matter to
        ///   the result is written.
        private func expect(
            _ result: Executable.Result, _ isMet: Bool, _ hasSucceeded: inout Bool, _ turn: Comment
        ) {
            if result.status == 0 {
                hasSucceeded = true
            } else {
                #expect(isMet && !hasSucceeded, turn)
                #expect([5, 8, 9].contains(result.status), "\(turn): \(result.standardError)")
                #expect(result.errorCode != nil, "\(turn): \(result.standardError)")
                #expect(
                    result.hint?.contains("make room on the disk") == true,
                    "\(turn): \(result.standardError)")
            }
        }
    }

    private let comesFirst: Comment = "the preloaded library comes before the sanitizer"

    /// Counts what is written to files below a home, in all processes of a run, and refuses it from one write
    /// on.
    private struct RefusingDisk {
        private let folder: URL
        private let library: PreloadedLibrary
        private var counter: URL { folder.appending(path: "count") }

        init() throws {
            folder = FileManager.default.temporaryDirectory
                .appending(path: "provision-refusing-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            library = try PreloadedLibrary("refusing", in: folder, Self.text)
        }

        func remove() { try? FileManager.default.removeItem(at: folder) }

        /// - Returns: also whether any write was refused.
        func run(
            _ provision: Executable, _ arguments: [String], from first: Int
        ) throws -> (Executable.Result, isMet: Bool) {
            try Data(count: 4).write(to: counter)
            let result = try provision(
                in: library.preloaded([
                    "DISK_COUNTER": counter.path, "DISK_FIRST": "\(first)",
                    "DISK_FOLDER": provision.home.path + "/",
                ]), arguments)
            let count = try Data(contentsOf: counter).reversed().reduce(0) { $0 << 8 | Int($1) }
            try #require(count > 0, "the library was not loaded")
            return (result, count > first)
        }

        private static let text = """
            #include <dlfcn.h>
            #include <errno.h>
            #include <fcntl.h>
            #include <limits.h>
            #include <stdatomic.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <unistd.h>

            static atomic_uint *counter;
            static unsigned first;
            static const char *folder;

            __attribute__((constructor)) static void start(void) {
                const int file = open(getenv("DISK_COUNTER"), O_RDWR | O_CLOEXEC);
                counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
                if (counter == MAP_FAILED) abort();
                close(file);
                first = (unsigned)atoi(getenv("DISK_FIRST"));
                folder = getenv("DISK_FOLDER");
            }

            static int is_refused(int file) {
                char link[40], path[PATH_MAX];
                const int error = errno;
                snprintf(link, sizeof link, "/proc/self/fd/%d", file);
                const ssize_t length = readlink(link, path, sizeof path);
                errno = error;
                if (!folder || length < (ssize_t)strlen(folder)) return 0;
                if (memcmp(path, folder, strlen(folder)) != 0) return 0;
                if (atomic_fetch_add(counter, 1) < first) return 0;
                errno = ENOSPC;
                return 1;
            }

            #define REFUSING(type, name, parameters, ...)              \\
                type name parameters {                                 \\
                    static type (*real) parameters;                    \\
                    if (!real) real = dlsym(RTLD_NEXT, #name);         \\
                    return is_refused(file) ? -1 : real(__VA_ARGS__);  \\
                }

            REFUSING(ssize_t, write, (int file, const void *from, size_t length), file, from, length)
            REFUSING(ssize_t, pwrite, (int file, const void *from, size_t length, off_t at), file, from, length, at)
            REFUSING(ssize_t, pwrite64, (int file, const void *from, size_t length, off64_t at), file, from, length, at)
            REFUSING(int, ftruncate, (int file, off_t length), file, length)
            REFUSING(int, ftruncate64, (int file, off64_t length), file, length)
            REFUSING(int, fallocate, (int file, int mode, off_t at, off_t length), file, mode, at, length)
            REFUSING(int, fallocate64, (int file, int mode, off64_t at, off64_t length), file, mode, at, length)

            int posix_fallocate(int file, off_t at, off_t length) {
                return fallocate(file, 0, at, length) == 0 ? 0 : errno;
            }
            int posix_fallocate64(int file, off64_t at, off64_t length) {
                return posix_fallocate(file, at, length);
            }

            // The C library's streams call none of the functions above by name.
            static ssize_t put(void *file, const char *from, size_t length) {
                const ssize_t written = write((int)(long)file, from, length);
                return written < 0 ? 0 : written;
            }
            static int end(void *file) { return close((int)(long)file); }

            FILE *fopen(const char *path, const char *mode) {
                static FILE *(*real)(const char *, const char *);
                if (!real) real = dlsym(RTLD_NEXT, "fopen");
                if (mode[0] != 'w') return real(path, mode);
                const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
                if (file < 0) return NULL;
                const cookie_io_functions_t functions = {.write = put, .close = end};
                return fopencookie((void *)(long)file, mode, functions);
            }
            FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }
            """
    }
#endif
