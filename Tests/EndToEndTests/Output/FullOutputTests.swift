import Foundation
import Testing

#if os(Linux)
    /// Results that have nowhere to go: `/dev/full` refuses each byte as a full disk does, on any machine.
    @Suite struct FullOutputTests {
        private static let full = "/dev/full"

        /// With standard output, or another descriptor, on the full disk.
        private func run(
            _ provision: Executable, _ arguments: [String], descriptor: Int = 1
        ) throws -> Executable.Result {
            let script = #"exec "$0" "$@" \#(descriptor)>\#(Self.full)"#
            return try provision.run(
                URL(filePath: "/bin/sh"), ["-c", script, Executable.url.path] + arguments)
        }

        private func expectLoss(
            _ result: Executable.Result, at location: SourceLocation = #_sourceLocation
        ) {
            result.expectError(
                "usage", status: 2, "standard output", "No space left on device", at: location)
            #expect(
                result.hint?.contains("make room on its disk") == true, "\(result.standardError)",
                sourceLocation: location)
        }

        /// The number of events and the hash that chains them all.
        private func record(_ provision: Executable) throws -> String {
            let result = try provision("registry", "verify", "--json")
            try #require(result.status == 0, "\(result.standardError)")
            return result.text
        }

        @Test func whatOnlyShowsSomething() throws {
            try Executable.withHome { provision in
                let key = try provision.provisionNative()
                let device = try #require(key["device"] as? String)
                let before = try record(provision)
                let exports = ["jsonl", "csv", "keyset"].map { ["export", "--format", $0] }
                let exportsOfOne = ["chain", "cwt", "evidence"].map {
                    ["export", "--format", $0, "--device", device]
                }
                let listings = [["devices"], ["keys"], ["platforms"], ["registry", "verify"]]
                for command in exports + exportsOfOne + listings + listings.map({ $0 + ["--json"] })
                    + [["registry", "log"], ["--version"], ["--help"], ["help", "run"]]
                {
                    expectLoss(try run(provision, command))
                }
                #expect(try record(provision) == before)
                let again = try provision.provisionNative()
                #expect(again["thumbprint"] as? String == key["thumbprint"] as? String)
            }
        }

        /// Its number is taken, and no later list has it: RFC 5280 §5.2.3. Nothing else happens.
        @Test func aRevocationList() throws {
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                let keys = try provision.keys()
                expectLoss(try run(provision, ["export", "--format", "crl"]))
                _ = try record(provision)
                #expect(try provision.keys() == keys)
                #expect(try provision("export", "--format", "crl").status == 0)
            }
        }

        /// The device is provisioned then, and the next run finds it so.
        @Test func aRunThatIsDone() throws {
            try Executable.withHome { provision in
                expectLoss(try run(provision, try Executable.nativeRun()))
                let keys = try provision.keys()
                #expect(keys["active"]?.count == 1 && keys.count == 1)
                let before = try record(provision)
                let reported = try provision.run(
                    Executable.url, try Executable.nativeRun("--report", Self.full))
                reported.expectError("usage", status: 2, Self.full, "No space left on device")
                #expect(reported.hint?.contains("--report") == true)
                let next = try provision.provisionNative()
                #expect(next["isNewKey"] as? Bool == false)
                #expect((next["delivered"] as? [String])?.isEmpty == true)
                #expect(next["thumbprint"] as? String == keys["active"]?.first)
                #expect(try record(provision) == before)
            }
        }

        /// The console's text is the result of an attached run.
        @Test func aConsole() throws {
            try Executable.withHome { provision in
                let image = try Firmware.native()
                expectLoss(
                    try run(provision, ["run", "--platform", "native", "--firmware", image]))
                try provision.expectToContinue()
            }
        }

        /// Where the board is, is all that `emulate` is good for.
        @Test func anEmulatedBoardThatNobodyFinds() throws {
            try Executable.withHome { provision in
                let leftovers = Leftovers(of: provision)
                let image = try Firmware.native()
                for more in [[], ["--json"]] {
                    expectLoss(
                        try run(provision, ["emulate", "native", "--firmware", image] + more))
                    #expect(leftovers.processes() == [])
                }
                try provision.expectToContinue()
            }
        }

        /// Progress is no result: whoever gives it up still has the run.
        @Test func progressThatIsLost() throws {
            try Executable.withHome { provision in
                let result = try run(provision, try Executable.nativeRun(), descriptor: 2)
                #expect(result.status == 0)
                #expect(try result.json()["keyState"] as? String == "active")
            }
        }
    }
#endif
