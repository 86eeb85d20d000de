import Foundation
import Testing

/// A state directory that can't be written: what only reads goes on, and what writes says why not.
@Suite struct ReadOnlyTests {
    @Test func readingGoesOnAndWritingSaysWhyNot() throws {
        try Executable.withHome { provision in
            let record = try provision.provisionNative()
            let device = try #require(record["device"] as? String)
            let folders =
                try FileManager.default.subpathsOfDirectory(atPath: provision.home.path)
                .map { provision.home.path + "/" + $0 } + [provision.home.path]
            let modes = folders.map { path in
                var status = stat()
                stat(path, &status)
                return (path, status.st_mode & 0o777)
            }
            defer { for (path, mode) in modes { chmod(path, mode) } }
            for (path, mode) in modes { chmod(path, mode & 0o555) }
            func ordinary(_ arguments: [String]) throws -> Executable.Result {
                try provision(in: .ordinaryUser, arguments)
            }

            for command in [
                ["devices", "--json"], ["keys"], ["registry", "verify"], ["registry", "log"],
                ["doctor"], ["export", "--format", "csv"], ["export", "--format", "jsonl"],
                ["export", "--format", "keyset", "--output", "/dev/null"],
                ["export", "--format", "chain", "--device", device],
            ] {
                let result = try ordinary(command)
                #expect(result.status == 0, "\(command): \(result.standardError)")
            }
            #expect(try ordinary(["devices"]).text.contains(device))
            #expect(try ordinary(["doctor"]).text.contains("registry.sqlite is not writable"))
            for command in [
                try Executable.nativeRun(), ["revoke", "--device", device],
                ["devices", "name", device, "kitchen"], ["export", "--format", "crl"],
            ] {
                let result = try ordinary(command)
                result.expectError(
                    "registry-unavailable", status: 8, provision.home.path + "/registry.sqlite")
            }
            let emulator = try ordinary(["emulate", "microbit-qemu"])
            emulator.expectError("emulator-failed", status: 5, "emulated/microbit-qemu-1")

            for (path, mode) in modes { chmod(path, mode) }
            try provision.expectToContinue()
        }
    }

    @Test func aPlaceThatCannotBeMade() throws {
        try Executable.withHome { provision in
            chmod(provision.home.path, 0o500)
            defer { chmod(provision.home.path, 0o700) }
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"),
                ["PROVISION_HOME=\(provision.home.path)/state"]
                    + Surrounding.ordinaryUser.command + [Executable.url.path]
                    + Executable.nativeRun())
            result.expectError(
                "registry-unavailable", status: 8, "\(provision.home.path)/state",
                "Permission denied")
        }
    }
}
