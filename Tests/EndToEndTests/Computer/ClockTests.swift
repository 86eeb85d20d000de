import Foundation
import Testing

/// A computer whose clock is wrong. The clock is shifted by a library of a few lines, loaded in front of
/// the system's.
@Suite struct ClockTests {
    private static let year = 31_557_600

    @Test func aClockThatIsTenYearsBehindIsRefused() throws {
        try Executable.withHome { provision in
            let clock = try Clock(in: provision.home)
            let record = try provision.provisionNative()
            let device = try #require(record["device"] as? String)
            let key = try #require(record["thumbprint"] as? String)
            let behind = clock.shifted(by: -10 * Self.year)
            let now = Calendar(identifier: .gregorian).component(.year, from: .now)

            for command in [
                try Executable.nativeRun("--erase"), ["export", "--format", "crl"],
                ["enroll", "--platform", "native", "--port", "/dev/null"],
            ] {
                let result = try provision(in: behind, command)
                result.expectError(
                    "clock-wrong", status: 8, "the clock says \(now - 10)", "\(now)-")
            }
            // Nothing was touched: the device's key was to be erased.
            #expect(try provision.keys() == ["active": [key]])

            // A revocation must not wait for a clock.
            let revocation = try provision(in: behind, ["revoke", "--device", device])
            #expect(revocation.status == 0)
            #expect(revocation.standardError.contains("this is recorded as of then"))
            #expect(try provision.keys() == ["revoked": [key]])
            #expect(try provision.eventTimesGrow())
            _ = try provision.provisionNative("--erase")
            try provision.expectToContinue()
        }
    }

    /// Within a day: time zones, and clocks that nobody set since they were slow.
    @Test func aClockThatIsAnHourBehindIsMadeGood() throws {
        try Executable.withHome { provision in
            let clock = try Clock(in: provision.home)
            _ = try provision.provisionNative()
            let result = try provision(
                in: clock.shifted(by: -3600), try Executable.nativeRun("--erase"))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try provision.eventTimesGrow())
            let device = try #require(try result.json()["device"] as? String)
            let chain = provision.home.path + "/chain.pem"
            let export = try provision(
                "export", "--format", "chain", "--device", device, "--output", chain)
            #expect(export.status == 0)
            func begin(_ file: String) throws -> String {
                try provision.run(
                    URL(filePath: "/usr/bin/openssl"),
                    ["x509", "-in", file, "-noout", "-startdate"]
                ).text
            }
            // The authority is the older one by the clock on the wall, so the two are equal here.
            #expect(try begin(chain) == begin(provision.home.path + "/authority/issuing.crt"))
            try provision.expectToContinue()
        }
    }

    /// A clock that was ahead, and was set right: the way on is named, and works.
    @Test func aClockThatWasAhead() throws {
        try Executable.withHome { provision in
            let clock = try Clock(in: provision.home)
            let ahead = clock.shifted(by: 10 * Self.year)
            let first = try provision.provisionNative()
            let wrong = try provision(in: ahead, try Executable.nativeRun("--erase"))
            #expect(wrong.status == 0)

            let refused = try provision.run(Executable.url, try Executable.nativeRun("--erase"))
            refused.expectError("clock-wrong", status: 8, "the registry last changed at")
            #expect(refused.hint?.contains("--accept-clock") == true)
            let accepted = try provision.provisionNative("--erase", "--accept-clock")
            #expect(accepted["device"] as? String == first["device"] as? String)
            #expect(try provision.eventTimesGrow())
            try provision.expectToContinue("--accept-clock")

            // An authority of that time would sign what is not valid for ten years.
            try FileManager.default.removeItem(at: provision.home.appending(path: "authority"))
            let replaced = try provision(in: ahead, ["authority", "create", "--replace"])
            #expect(replaced.status == 0, "\(replaced.standardError)")
            #expect(try provision(in: ahead, try Executable.nativeRun()).status == 0)
            let authority = try provision.run(
                Executable.url, try Executable.nativeRun("--accept-clock"))
            authority.expectError("clock-wrong", status: 8, "/authority began at")
            #expect(authority.hint?.contains("put it aside") == true)
        }
    }

    /// The device keeps its key, and gets credentials that are valid now.
    @Test func whatWasSignedByAClockThatWasAheadIsReplaced() throws {
        try Executable.withHome { provision in
            let clock = try Clock(in: provision.home)
            _ = try provision.provisionNative()
            let early = try provision(
                in: clock.shifted(by: 2 * Self.year), try Executable.nativeRun("--erase"))
            #expect(early.status == 0, "\(early.standardError)")
            let accepted = try provision.provisionNative("--accept-clock")
            #expect(
                try accepted["thumbprint"] as? String == early.json()["thumbprint"] as? String)
            let now = Date.now.formatted(.iso8601)
            let credentials = try #require(accepted["credentials"] as? [[String: Any]])
            try #require(credentials.count == 3)
            for credential in credentials {
                #expect(try #require(credential["notBefore"] as? String) <= now)
            }
            #expect(accepted["delivered"] as? [String] == ["x509", "cwt"])
            let again = try provision.provisionNative("--accept-clock")
            #expect((again["delivered"] as? [String])?.isEmpty == true)
        }
    }

    @Test func aClockBeyondTheCalendar() throws {
        try Executable.withHome { provision in
            let clock = try Clock(in: provision.home)
            for years in [-70, 9000] {
                let result = try provision(
                    in: clock.shifted(by: years * Self.year), try Executable.nativeRun())
                #expect([8, 9].contains(result.status), "\(result.standardError)")
                #expect(result.hint?.contains("set the clock") == true, "\(result.standardError)")
            }
            #expect(try provision.keys().isEmpty)
            try provision.expectToContinue()
        }
    }
}

/// The system's clock with a shift, for programs that are linked dynamically.
private struct Clock {
    private let library: PreloadedLibrary

    init(in folder: URL) throws {
        library = try PreloadedLibrary("clock", in: folder, Self.text)
    }

    func shifted(by seconds: Int) -> Surrounding {
        library.preloaded(["CLOCK_SHIFT": "\(seconds)"])
    }

    private static let text = """
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <sys/time.h>
        #include <time.h>

        static long shift(void) { return atol(getenv("CLOCK_SHIFT")); }

        int clock_gettime(clockid_t clock, struct timespec *now) {
            static int (*real)(clockid_t, struct timespec *);
            if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
            int status = real(clock, now);
            if (status == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift();
            return status;
        }

        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            static int (*real)(struct timeval *, void *);
            if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
            int status = real(now, zone);
            if (status == 0) now->tv_sec += shift();
            return status;
        }

        time_t time(time_t *out) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (out) *out = now.tv_sec;
            return now.tv_sec;
        }
        """
}

extension Executable {
    /// Whether each event of the log is at the time of the one before it, or later.
    fileprivate func eventTimesGrow() throws -> Bool {
        let dates = try self("registry", "log").text.split(separator: "\n").map { line in
            let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(event?["date"] as? String)
        }
        try #require(dates.count > 4)
        return dates == dates.sorted()
    }
}
