import Foundation
import Platforms
import Testing

/// What a run does to a port's modem lines, on a port that has none: a library in front of `ioctl` plays
/// them, and writes down what is asked of them and when.
@Suite struct ModemLineTests {
    private static let source = #"""
        #include <asm/ioctls.h>
        #include <asm/termbits.h>
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <linux/ioctl.h>
        #include <stdarg.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <time.h>
        #include <unistd.h>

        static int lines = 6;

        static void note(const char *what, int value) {
            char text[96];
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            long long ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
            int length = snprintf(text, sizeof text, "%lld %s %d\n", ms, what, value);
            int file = open(getenv("MODEM_LINES"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
            if (write(file, text, (size_t)length) != length) abort();
            close(file);
        }

        int ioctl(int fd, unsigned long request, ...) {
            static int (*real)(int, unsigned long, ...);
            va_list list;
            va_start(list, request);
            int *argument = va_arg(list, int *);
            va_end(list);
            if (!real) real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
            switch (request) {
            case TIOCMGET: *argument = lines; return 0;
            case TIOCMBIS: lines |= *argument; note("on", *argument); return 0;
            case TIOCMBIC: lines &= ~*argument; note("off", *argument); return 0;
            case TIOCMSET: lines = *argument; note("lines", *argument); return 0;
            case TIOCOUTQ:
                if (!getenv("MODEM_STUCK")) break;
                *argument = 1;
                return 0;
            case TCSETS2: note("rate", (int)((struct termios2 *)argument)->c_ospeed);
            }
            return real(fd, request, argument);
        }
        """#

    /// DTR and RTS: TIOCM_DTR, TIOCM_RTS.
    private static let (dtr, rts) = (2, 4)

    private struct Entry {
        let milliseconds: Int
        let what: String
    }

    /// A port with a device behind it, and a platform whose flash command notes that it ran.
    private struct Desk {
        let provision: Executable
        let device: NativeDevice
        let library: PreloadedLibrary
        let log: URL

        var port: String { device.line.port }
        /// Arguments that name the platform.
        let platform: [String]
        var image: String { provision.home.appending(path: "image").path }

        init(_ provision: Executable, channel: String = "", flash: String = "") throws {
            self.provision = provision
            device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["console"],
                in: provision.home.appending(path: "device"))
            library = try PreloadedLibrary("modem", in: provision.home, ModemLineTests.source)
            log = provision.home.appending(path: "lines")
            try Data().write(to: log)
            platform = try provision.platform(
                "lined",
                """
                [flash]
                method = "command"
                command = [
                    "/bin/sh", "-c", 'echo "$(date +%s%3N) flash $1" >> "$0"', "\(log.path)",
                    "{port}", "{image}",
                ]
                \(flash)
                [channel]
                kind = "uart"
                \(channel)
                """)
            try Data([1]).write(to: URL(filePath: image))
        }

        /// - Parameter isStuck: whether what is written never leaves the port.
        func surrounding(isStuck: Bool = false) -> Surrounding {
            library.preloaded(["MODEM_LINES": log.path, "MODEM_STUCK": isStuck ? "1" : nil])
        }

        func callAsFunction(
            _ command: String, port: String? = nil, isStuck: Bool = false, _ more: String...
        ) throws -> Executable.Result {
            let firmware = command == "run" ? ["--firmware", image, "--detach"] : []
            return try provision(
                in: surrounding(isStuck: isStuck),
                [command, "--port", port ?? self.port] + platform + firmware + more)
        }

        /// All that was noted of the lines and of flashing; the rates only where asked for.
        func entries(withRates: Bool = false) throws -> [Entry] {
            try String(contentsOf: log, encoding: .utf8).split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 1)
                let entry = Entry(
                    milliseconds: Int(words[0]) ?? -1, what: words.count > 1 ? String(words[1]) : ""
                )
                return !withRates && entry.what.hasPrefix("rate") ? nil : entry
            }
        }
    }

    private func withDesk(
        channel: String = "", flash: String = "", _ body: (Desk) throws -> Void
    ) throws {
        try Executable.withHome { provision in
            let desk = try Desk(provision, channel: channel, flash: flash)
            defer { desk.device.stop() }
            try body(desk)
        }
    }

    /// Those that a changed value of is obeyed by what follows.
    static let timeouts: [Timeout] = [.touch, .drain]

    /// Opening, checking and closing a port moves no line.
    @Test func nothingIsMovedUnasked() throws {
        try withDesk { (desk: Desk) throws in
            for command in ["run", "enroll"] {
                let result = try desk(command)
                #expect(result.status == 0, "\(result.standardError)")
            }
            let attached = try BackgroundRun(
                desk.provision,
                ["attach", "--port", desk.port] + desk.platform, in: desk.surrounding())
            #expect(attached.says("attached to"), "\(attached.errorOutput)")
            #expect(attached.interrupt() == 0, "\(attached.errorOutput)")
            #expect(try desk.entries().map(\.what) == ["flash \(desk.port)"])
        }
    }

    /// A port that a run wrote to, and that keeps what was written.
    @Test func aStuckPortIsLeftInTime() throws {
        try withDesk { (desk: Desk) throws in
            let time = try ContinuousClock().measure {
                let result = try desk("enroll", isStuck: true, "--timeout", "drain=4s")
                #expect(result.status == 0, "\(result.standardError)")
            }
            #expect(time >= .seconds(4))
        }
    }

    /// By the user's word, and by the file's where the board was flashed.
    @Test func anArduinoIsReset() throws {
        try withDesk(channel: "reset = \"arduino\"") { (desk: Desk) throws in
            #expect(try desk("enroll").status == 0)
            #expect(try desk.entries().isEmpty)
            #expect(try desk("enroll", "--reset", "arduino").status == 0)
            #expect(try desk("run").status == 0)
            let entries = try desk.entries()
            let reset = ["off \(Self.dtr | Self.rts)", "on \(Self.dtr | Self.rts)"]
            #expect(entries.map(\.what) == reset + ["flash \(desk.port)"] + reset)
            try #require(entries.count == 5)
            for start in [0, 3] {
                #expect(entries[start + 1].milliseconds - entries[start].milliseconds >= 250)
            }
        }
    }

    @Test func aBoardIsResetBehindFlashing() throws {
        try withDesk(channel: "reset = \"esp\"") { (desk: Desk) throws in
            let result = try desk("run")
            #expect(result.status == 0, "\(result.standardError)")
            let entries = try desk.entries()
            #expect(
                entries.map(\.what) == [
                    "flash \(desk.port)", "lines \(Self.rts)", "off \(Self.rts)",
                ])
            try #require(entries.count == 3)
            #expect(entries[2].milliseconds - entries[1].milliseconds >= 100)
        }
    }

    /// Not flashed, and so not restarted; but for who asks for it.
    @Test func onlyWhatWasFlashedIsReset() throws {
        let channel = "reset = [\"dtr=0\", \"wait=20\", \"dtr=1,rts=0\"]"
        try withDesk(channel: channel) { (desk: Desk) throws in
            #expect(try desk("enroll").status == 0)
            #expect(try desk("run", "--no-reset").status == 0)
            #expect(try desk.entries().map(\.what) == ["flash \(desk.port)"])
            #expect(try desk("enroll", "--reset", "dtr=1 wait=5 dtr=0,rts=0").status == 0)
            #expect(
                try desk.entries().map(\.what).suffix(2) == [
                    "on \(Self.dtr)", "off \(Self.dtr | Self.rts)",
                ])
            #expect(try desk("run", "--reset", "none").status == 0)
            #expect(try desk.entries().last?.what == "flash \(desk.port)")
        }
    }

    /// A port that is none has no lines: the platform's reset is left out, and `-v` says so; the user's is
    /// an error.
    @Test func aPortWithoutLines() throws {
        try withDesk(channel: "reset = \"arduino\"") { (desk: Desk) throws in
            let arguments = ["--port", desk.port] + desk.platform
            let run = try desk.provision.run(
                Executable.url,
                ["run", "--firmware", desk.image, "--detach", "-v"] + arguments)
            #expect(run.status == 0, "\(run.standardError)")
            #expect(run.standardError.contains("has no modem lines"))
            let asked = try desk.provision.run(
                Executable.url, ["enroll", "--reset", "dtr"] + arguments)
            asked.expectError("channel-unavailable", status: 5, desk.port, "dtr=0")
        }
    }

    // MARK: The touch

    /// Does `act` once the port was touched.
    private func whenTouched(_ desk: Desk, _ act: @escaping @Sendable () -> Void)
        -> DispatchSemaphore
    {
        let log = desk.log
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for _ in 0..<6000 {
                let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                if text.contains(" off \(Self.dtr)\n") { break }
                usleep(10_000)
            }
            act()
            done.signal()
        }
        return done
    }

    /// The port leaves, and comes back as another device's: the bootloader's, and then the firmware's.
    @Test func theFlashCommandGetsThePortThatCame() throws {
        try withDesk(flash: "touch-baud = 1200") { (desk: Desk) throws in
            let other = try NativeDevice(
                try DeviceProcess.program(), arguments: ["console"],
                in: desk.provision.home.appending(path: "other"))
            defer { other.stop() }
            let link = desk.provision.home.appending(path: "port").path
            #expect(symlink(desk.port, link) == 0)
            let (next, bootloader) = (link + "-next", other.line.port)
            let done = whenTouched(desk) {
                unlink(link)
                usleep(100_000)
                symlink(bootloader, next)
                rename(next, link)
            }
            let result = try desk("run", port: link)
            done.wait()
            #expect(result.status == 0, "\(result.standardError)")
            let entries = try desk.entries(withRates: true).map(\.what)
            let touch = try #require(entries.firstIndex(of: "off \(Self.dtr)"))
            #expect(entries[touch - 1] == "rate 1200")
            let flash = try #require(entries.firstIndex(of: "flash \(link)"))
            #expect(flash > touch)
            #expect(entries.count { $0.hasPrefix("off") } == 1)
        }
    }

    /// A board that is in its bootloader already does not leave.
    @Test func aPortThatStaysIsFlashed() throws {
        try withDesk(flash: "touch-baud = 1200") { (desk: Desk) throws in
            let time = try ContinuousClock().measure {
                let result = try desk("run", "--timeout", "touch=12s", "-v")
                #expect(result.status == 0, "\(result.standardError)")
            }
            // The usual time is shorter.
            #expect(time >= .seconds(12))
            try Data().write(to: desk.log)
            let result = try desk("run", "--timeout", "touch=200ms", "-v")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardError.contains("stays as it was"))
            #expect(try desk.entries().map(\.what).contains("flash \(desk.port)"))
        }
    }

    @Test func aPortThatDoesNotComeBack() throws {
        try withDesk(flash: "touch-baud = 1200") { (desk: Desk) throws in
            let link = desk.provision.home.appending(path: "port").path
            #expect(symlink(desk.port, link) == 0)
            let done = whenTouched(desk) { unlink(link) }
            let result = try desk("run", port: link, "--timeout", "touch=2s")
            done.wait()
            result.expectError("channel-unavailable", status: 5, link, "1200")
            #expect(try !desk.entries().contains { $0.what.hasPrefix("flash") })
            #expect(try desk.provision.keys().isEmpty)
        }
    }
}
