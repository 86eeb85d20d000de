import Foundation
import Testing

/// C functions that stand in front of the system's, in programs that are linked dynamically.
struct PreloadedLibrary {
    let path: String

    /// - Parameter source: begins after `#define _GNU_SOURCE`.
    init(_ name: String, in folder: URL, _ source: String) throws {
        let file = folder.appending(path: "\(name).c")
        try Data("#define _GNU_SOURCE\n\(source)\n".utf8).write(to: file)
        path = folder.path + "/\(name).so"
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["clang", "-shared", "-fPIC", "-o", path, file.path, "-ldl"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "no C compiler made \(name).so")
    }

    func preloaded(_ variables: [String: String?] = [:]) -> Surrounding {
        .environment(variables.merging(["LD_PRELOAD": path]) { $1 })
    }
}
