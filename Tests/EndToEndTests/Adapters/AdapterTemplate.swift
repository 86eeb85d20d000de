import Foundation
import Testing

/// The adapters to copy, each a program.
enum AdapterTemplate: String, CaseIterable, CustomTestStringConvertible {
    case python, shell, swift

    static let folder = Executable.packageRoot.appending(path: "Templates/platform")

    var testDescription: String { rawValue }

    func program() throws -> String {
        let file = "provision-platform-example"
        guard self == .swift else { return Self.folder.appending(path: "\(rawValue)/\(file)").path }
        try #require(Self.swiftBuild == nil, "it does not build:\n\(Self.swiftBuild ?? "")")
        return Self.folder.appending(path: "swift/.build/debug/\(file)").path
    }

    /// The program as `provision-platform-NAME`, alone in a folder.
    func install(as name: String = "example", in folder: URL) throws -> URL {
        let place = folder.appending(path: "adapters-\(rawValue)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: place.appending(path: "provision-platform-\(name)").path,
            withDestinationPath: try program())
        return place
    }

    /// Nil on success, else what the build printed.
    private static let swiftBuild: String? = {
        do {
            return try Executable.withHome { executable in
                let result = try executable.run(
                    URL(filePath: "/usr/bin/env"),
                    ["swift", "build", "--product", "provision-platform-example"],
                    in: folder.appending(path: "swift"), within: 900)
                return result.status == 0 ? nil : result.text + result.standardError
            }
        } catch {
            return "\(error)"
        }
    }()
}
