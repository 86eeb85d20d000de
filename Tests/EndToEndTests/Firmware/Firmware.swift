import Foundation
import Testing

/// The template's firmware, built once for each board of a test run.
enum Firmware {
    static let package = Executable.packageRoot.appending(path: "Templates/embedded-swift")

    static func native() throws -> String { try image(of: "native", nativeBuild) }
    static func microbit() throws -> String { try image(of: "microbit", microbitBuild) }
    static func mps2() throws -> String { try image(of: "mps2-an386", mps2Build) }

    /// The one that also prints a line with its key.
    static func reportingMicrobit() throws -> String {
        try image(of: "microbit-reports", reportingMicrobitBuild)
    }

    // Static properties are initialised once, whichever test comes first.
    private static let nativeBuild = build("native", [])
    private static let microbitBuild = build(
        "microbit",
        ["--triple", "armv6m-none-none-eabi", "--toolset", "boards/microbit/toolset.json"])
    private static let reportingMicrobitBuild = build(
        "microbit-reports",
        [
            "--triple", "armv6m-none-none-eabi", "--toolset", "boards/microbit/toolset.json",
            "-Xcc", "-DBOARD_REPORTS",
        ])
    private static let mps2Build = build(
        "mps2-an386",
        ["--triple", "armv7em-none-none-eabi", "--toolset", "boards/mps2-an386/toolset.json"])

    private static func image(of board: String, _ output: String?) throws -> String {
        try #require(output == nil, "the \(board) firmware does not build:\n\(output ?? "")")
        return package.appending(path: ".build/provision-\(board)/release/Firmware").path
    }

    /// Nil on success, else what the build printed.
    private static func build(_ board: String, _ options: [String]) -> String? {
        do {
            return try Executable.withHome { executable in
                let result = try executable.run(
                    URL(filePath: "/usr/bin/env"),
                    ["swift", "build", "-c", "release"] + options
                        + ["--scratch-path", ".build/provision-\(board)", "--product", "Firmware"],
                    in: package, within: 600)
                return result.status == 0 ? nil : result.text + result.standardError
            }
        } catch {
            return "\(error)"
        }
    }
}
