import Foundation
import Testing

/// A board that is pulled out: the run says so, and the next one, with the board back, goes on.
@Suite struct UnpluggedTests {
    /// While the probe is asked what it can do, and in the middle of the flash memory: the image has 43,796
    /// bytes.
    @Test func whileItIsFlashed() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            defer { _ = board.interrupt() }
            let server = String(try #require(board.probe).dropFirst("unix:".count))
            func run(_ probe: String) throws -> Executable.Result {
                try provision(
                    "run", "--platform", "microbit-qemu", "--firmware", image, "--port", board.port,
                    "--probe", "unix:" + probe, "--detach", "--json")
            }
            var key: String?
            for (number, limit) in [20, 200, 5_000, 30_000, 42_000].enumerated() {
                let path = provision.home.path + "/probe-\(number)"
                let line = try CutLine.probe(at: path, to: server, after: limit)
                let cut = try run(path)
                line.end()
                cut.expectError("probe-unavailable", status: 5, path)
                let next = try run(server)
                #expect(next.status == 0, "\(limit): \(next.standardError)")
                let thumbprint = try #require(try next.json()["thumbprint"] as? String)
                // Half an image never took the key away.
                #expect(key == nil || key == thumbprint)
                key = thumbprint
            }
            #expect(try provision.keys() == ["active": [try #require(key)]])
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// In each step of the conversation, some 3,400 bytes towards a new device.
    @Test(arguments: [1, 50, 90, 150, 220, 300, 900, 1600, 2300, 2900])
    func whileItIsProvisioned(limit: Int) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            func run(_ port: String, _ more: String...) throws -> Executable.Result {
                try provision.run(
                    Executable.url, ["enroll", "--platform", "native", "--port", port] + more)
            }
            let (path, line) = try CutLine.serial(to: board.port, after: limit)
            let cut = try run(path)
            line.end()
            cut.expectError("channel-closed", status: 5, path)
            #expect(cut.hint?.contains("unplugged") == true)
            #expect(try provision("registry", "verify").status == 0)
            let registered = try provision.keys()
            #expect(registered["revoked"] == nil)

            let next = try run(board.port, "--json")
            #expect(next.status == 0, "\(next.standardError)")
            let key = try #require(try next.json()["thumbprint"] as? String)
            // What the first run registered is the key that the second one found.
            #expect([[], [key]].contains(registered.values.flatMap(\.self)))
            #expect(try provision.keys() == ["active": [key]])
        }
    }

    /// The external tool is killed, as by the kernel when memory runs out.
    @Test func whileAToolFlashes() throws {
        try Executable.withHome { provision in
            let mine = try provision.platform(
                "mine",
                """
                [flash]
                method = "command"
                command = ["/bin/sh", "-c", "echo half of it >&2; kill -9 $$", "{image}"]

                [channel]
                kind = "uart"
                """)
            let image = try Firmware.native()
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let result = try provision.run(
                Executable.url,
                ["run", "--firmware", image, "--port", board.port, "--detach"] + mine)
            result.expectError("flash-failed", status: 4, "signal 9", "half of it")
            #expect(try provision.keys().isEmpty)
            let next = try provision("enroll", "--platform", "native", "--port", board.port)
            #expect(next.status == 0, "\(next.standardError)")
        }
    }
}
