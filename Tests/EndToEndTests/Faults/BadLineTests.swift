import BadLine
import Foundation
import Synchronization
import Testing

/// Devices behind a serial line that drops, flips, duplicates and delays bytes.
@Suite struct BadLineTests {
    /// What came out for one device.
    private struct Enrolment: Sendable {
        let seed: Int
        let status: Int32
        /// Of the report; nil without one.
        let device: String?
        let retries: Int?
        let errorOutput: String
        let damage: (toDevice: LineFaults.Counts, toHost: LineFaults.Counts)

        /// Lines of `-v` that tell of a repeat.
        var shownRetries: Int {
            errorOutput.split(separator: "\n").count { $0.contains(": trying again to ") }
        }
    }

    private static let deviceCount = Executable.sample(Array(0..<200)).count
    private static let runsAtOnce = 8

    /// How many attempts fit into the usual time depends on the machine, which eight pairs of processes share;
    /// that it has room for enough is shown over a simulated line, whose time is its own.
    private static func enrolment(at port: String) -> [String] {
        [
            "enroll", "--platform", "native", "--port", port, "--json", "-v",
            "--timeout", "answer=60s",
        ]
    }

    private func enrol(_ seed: Int, _ provision: Executable, _ image: String) throws -> Enrolment {
        let device = try NativeDevice(
            image, in: provision.home.appending(path: "device-\(seed)"),
            faults: LineFaults.Rates(each: 0.001), seed: UInt64(seed))
        defer { device.stop() }
        // A read of 500 octets arrives whole one time in eight, so it takes dozens of attempts.
        let result = try provision.run(Executable.url, Self.enrolment(at: device.line.port))
        let report = try? result.json()
        return Enrolment(
            seed: seed, status: result.status, device: report?["device"] as? String,
            retries: report?["retries"] as? Int, errorOutput: result.standardError,
            damage: device.line.counts)
    }

    @Test func eachOfTwoHundredDevicesIsProvisionedOnce() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            // The first one makes the authority.
            let enrolments = Mutex([try enrol(0, provision, image)])
            let seeds = Mutex(Array((1..<Self.deviceCount).reversed()))
            let threads = DispatchGroup()
            for _ in 0..<Self.runsAtOnce {
                threads.enter()
                Thread {
                    while let seed = seeds.withLock({ $0.popLast() }) {
                        do {
                            let enrolment = try enrol(seed, provision, image)
                            enrolments.withLock { $0.append(enrolment) }
                        } catch {
                            Issue.record(error)
                        }
                    }
                    threads.leave()
                }.start()
            }
            threads.wait()
            try check(enrolments.withLock { $0 })
            try checkRegistry(provision)
        }
    }

    /// Bytes that take their time are not taken for lost ones, on any sensible rate.
    @Test(arguments: [115_200, 38_400])
    func aSlowLineIsNotABadOne(bitsPerSecond: Int) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let device = try NativeDevice(
                image, in: provision.home.appending(path: "device"), faults: LineFaults.Rates(),
                seed: 0, bitsPerSecond: bitsPerSecond)
            defer { device.stop() }
            let result = try provision(
                "enroll", "--platform", "native", "--port", device.line.port, "--json", "-v")
            #expect(result.status == 0, "\(result.standardError)")
            // A busy machine may be late once or twice.
            let retries = try #require(try result.json()["retries"] as? Int)
            #expect(retries <= 3, "\(result.standardError)")
        }
    }

    /// A serial bridge that drops what its buffer has no room for, of a burst that the line takes its time for.
    @Test(arguments: [64, 127, 256], [115_200, 38_400])
    func aBurstThatDoesNotFit(bufferLength: Int, bitsPerSecond: Int) throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["console"],
                in: provision.home.appending(path: "device"), bitsPerSecond: bitsPerSecond,
                bufferLength: bufferLength)
            defer { device.stop() }
            let result = try provision.run(
                Executable.url, Self.enrolment(at: device.line.port))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try provision.keys()["active"]?.count == 1)
            // It was as bad as it had to be.
            #expect(device.line.overflow > 0)
        }
    }

    private func check(_ enrolments: [Enrolment]) throws {
        #expect(enrolments.count == Self.deviceCount)
        var retries = 0
        for enrolment in enrolments {
            #expect(
                enrolment.status == 0, "seed \(enrolment.seed): \(enrolment.errorOutput)")
            let reported = enrolment.retries ?? 0
            #expect(enrolment.shownRetries >= reported, "seed \(enrolment.seed)")
            retries += reported
        }
        #expect(Set(enrolments.compactMap(\.device)).count == Self.deviceCount)
        // The line was as bad as it had to be: each of these happened, in both directions.
        let counts = enrolments.flatMap { [$0.damage.toDevice, $0.damage.toHost] }
        for direction in [0, 1] {
            let these = stride(from: direction, to: counts.count, by: 2).map { counts[$0] }
            #expect(these.contains { $0.dropped > 0 } && these.contains { $0.flipped > 0 })
            #expect(these.contains { $0.duplicated > 0 } && these.contains { $0.delayed > 0 })
        }
        #expect(retries > Self.deviceCount)
    }

    /// One key for each device, active, registered in one event.
    private func checkRegistry(_ provision: Executable) throws {
        #expect(try provision("registry", "verify").status == 0)
        let keys = try #require(try provision("keys", "--json").json()["keys"] as? [[String: Any]])
        #expect(keys.count == Self.deviceCount)
        #expect(Set(keys.compactMap { $0["device"] as? String }).count == Self.deviceCount)
        #expect(keys.allSatisfy { $0["state"] as? String == "active" })
        let events = try provision("registry", "log").text.split(separator: "\n")
        let kinds = try events.map { line -> String in
            let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(event?["kind"] as? String)
        }
        #expect(kinds.count { $0 == "key-registered" } == Self.deviceCount, "\(Set(kinds))")
    }
}
