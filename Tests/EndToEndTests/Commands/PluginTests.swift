import Foundation
import Testing

extension SwiftPackage {
    /// `swift package provision`, as far as it is more than the executable.
    @Suite struct PluginTests {
        private static let record = Firmware.package
            .appending(path: ".build/plugins/ProvisionPlugin/outputs/tool")

        private func plugin(
            _ provision: Executable, _ arguments: String...
        ) throws -> Executable.Result {
            try provision.run(
                URL(filePath: "/usr/bin/env"), ["swift", "package", "provision"] + arguments,
                in: Firmware.package, within: 900)
        }

        private func version(_ provision: Executable) throws -> Executable.Result {
            try plugin(provision, "--version")
        }

        /// SwiftPM has options of its own, and a `--` too.
        @Test func aGivenCommandComesThroughWordByWord() throws {
            try Executable.withHome { provision in
                let preview = try plugin(
                    provision, "run", "--platform", "native", "--port", "/dev/ttyUSB0", "--dry-run",
                    "--",
                    "/bin/echo", "a b", "$HOME", "--", "--version")
                #expect(preview.status == 0, "\(preview.standardError)")
                #expect(
                    preview.text.contains("run /bin/echo 'a b' '$HOME' -- --version on an"),
                    "\(preview.text)")
            }
        }

        @Test func theToolIsBuiltOnlyWhenAFileOfItsHasChanged() throws {
            try Executable.withHome { provision in
                let first = try version(provision)
                try #require(first.status == 0, "\(first.standardError)")
                let recorded = try String(contentsOf: Self.record, encoding: .utf8)
                // A source, a header, a manifest, a file that is built in, and one of a dependency's.
                for file in [
                    "/Sources/provision/Provision.swift", "/Sources/CHost/include/chost.h",
                    "/Package.swift", "/platforms/native.toml", "/GRDB/Core/Database.swift",
                ] {
                    #expect(recorded.contains(file + "\n"), "\(file)")
                }
                let warm = try version(provision)
                #expect(
                    warm.status == 0 && !warm.standardError.contains("Build of product"),
                    "\(warm.standardError)")
                #expect(warm.standardOutput == first.standardOutput)

                // As if one had changed since.
                try recorded.replacing("/platforms/native.toml", with: "/platforms/other.toml")
                    .write(to: Self.record, atomically: true, encoding: .utf8)
                let changed = try version(provision)
                #expect(changed.status == 0)
                #expect(changed.standardError.contains("Build of product 'provision' complete"))
                #expect(changed.standardOutput == first.standardOutput)
            }
        }
    }
}
