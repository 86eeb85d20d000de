import Foundation
import Synchronization
import Testing

/// Devices that are asked in datagrams.
@Suite struct NetworkTests {
    /// Whether this computer has IPv6 on its loopback.
    static let hasIPv6: Bool = {
        guard let text = try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8) else {
            return false
        }
        return text.contains("00000000000000000000000000000001")
    }()

    private func enrol(_ device: UInt16, _ provision: Executable, _ more: String...) throws
        -> Executable.Result
    {
        try provision.run(
            Executable.url,
            [
                "enroll", "--platform", "native", "--port", "udp:127.0.0.1:\(device)", "--json",
            ] + more)
    }

    @Test func aDeviceIsProvisioned() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            let first = try enrol(device.port, provision)
            #expect(first.status == 0, "\(first.standardError)")
            let again = try enrol(device.port, provision)
            #expect(again.status == 0, "\(again.standardError)")
            #expect(again.standardError.contains("same key, nothing changed"))
            #expect(try provision.keys()["active"]?.count == 1)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test(.enabled(if: hasIPv6, "no IPv6 on the loopback")) func byIPv6() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice(on: "::1")
            defer { device.stop() }
            let result = try provision(
                "enroll", "--platform", "native", "--port", "udp:[::1]:\(device.port)", "--json")
            #expect(result.status == 0, "\(result.standardError)")
        }
    }

    /// 2 % of all datagrams are lost, 2 % come twice, and 2 % come late.
    @Test func aBadNetworkIsOvercome() throws {
        try Executable.withHome { provision in
            let counts = Mutex(DatagramLine.Counts())
            _ = try provision("authority", "show")
            DispatchQueue.concurrentPerform(iterations: 16) { seed in
                do {
                    let device = try NetworkDevice()
                    defer { device.stop() }
                    let line = try DatagramLine(
                        to: device.port, rate: 0.02, seed: UInt64(seed))
                    let result = try enrol(line.port, provision, "-v")
                    line.end()
                    #expect(result.status == 0, "seed \(seed): \(result.standardError)")
                    counts.withLock {
                        $0.dropped += line.counts.dropped
                        $0.doubled += line.counts.doubled
                        $0.reordered += line.counts.reordered
                    }
                } catch {
                    Issue.record(error, "seed \(seed)")
                }
            }
            let faults = counts.withLock { $0 }
            #expect(faults.dropped > 0 && faults.doubled > 0 && faults.reordered > 0, "\(faults)")
            #expect(try provision.keys()["active"]?.count == 16)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// Killed behind each step of a device's first run: the next run goes on.
    @Test(arguments: [
        "hello", "key", "evidence", "appraise", "register", "issue", "install", "confirm",
    ])
    func aKilledRunIsContinued(_ step: String) throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            let run = try KillableRun(
                provision,
                [
                    "enroll", "--platform", "native", "--port", "udp:127.0.0.1:\(device.port)",
                    "--json",
                ])
            #expect(run.says(step), "\(run.errorOutput)")
            #expect(try run.kill(.run) != nil, "after \(step), the run hangs")
            let next = try enrol(device.port, provision)
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try provision.keys() == ["active": try #require(provision.keys()["active"])])
            #expect(try provision.keys()["active"]?.count == 1)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func nobodyListens() throws {
        let port: UInt16
        do {
            let device = try NetworkDevice()
            device.stop()
            port = device.port
        }
        try Executable.withHome { provision in
            let result = try enrol(port, provision)
            result.expectError("channel-unavailable", status: 5, "udp:127.0.0.1:\(port)")
            #expect(try provision.keys().isEmpty)
        }
    }

    /// A server of something else, or one that answers with noise.
    @Test func anotherServiceAnswers() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            // Each lost: the line carries nothing at all.
            let line = try DatagramLine(to: device.port, rate: 1, seed: 0)
            defer { line.end() }
            let result = try enrol(line.port, provision, "--timeout", "boot=500ms")
            result.expectError("device-silent", status: 5, "udp:127.0.0.1:\(line.port)")
            #expect(try provision.keys().isEmpty)
        }
    }

    /// Flashed by a command, asked where the platform file says; no console, so the run ends.
    @Test func aWholeRun() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            let networked = try provision.platform(
                "networked",
                """
                [flash]
                method = "command"
                command = ["/bin/true", "{image}"]
                [channel]
                kind = "udp"
                udp = { endpoint = "udp:127.0.0.1:\(device.port)" }
                """)
            let image = provision.home.appending(path: "image")
            try Data([1]).write(to: image)
            let result = try provision.run(
                Executable.url, ["run", "--firmware", image.path] + networked)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardError.contains("no console: datagrams carry messages"))
            #expect(try provision.keys()["active"]?.count == 1)

            let attached = try provision.run(Executable.url, ["attach"] + networked)
            attached.expectError("usage", status: 2, "networked", "datagrams")
        }
    }

    @Test(arguments: ["udp:", "udp:a:b:c", "udp:host:99999"])
    func noAddress(_ port: String) throws {
        try Executable.withHome { provision in
            let result = try provision("attach", "--platform", "native", "--port", port)
            #expect(result.status == 2)
            #expect(result.standardError.contains("no UDP address: \"\(port)\""))
        }
    }
}
