import Foundation
import PackagePlugin

/// The executable, built when a file that it is made from has changed.
///
/// A plugin that declares the executable as its tool has SwiftPM plan the whole build anew on each
/// call: more than half a second before anything happens. SwiftPM tells a plugin what the executable
/// is made from, so that it is asked to build only when there is something to build. Not noticed is a
/// change of the system's C libraries; `swift build` makes good for that.
struct ToolBuild {
    private static let name = "provision"

    private let targets: [any Target]
    private let packages: [Package]
    /// Where the executable's own package is.
    private let home: URL
    private let recordFile: URL
    private let compiler: String

    /// - Throws: ``ToolFailure`` where no package of the graph has the executable.
    init(_ context: PluginContext) throws {
        packages = Self.closure(of: context.package)
        for package in packages {
            let products = package.products(ofType: ExecutableProduct.self)
            guard let product = products.first(where: { $0.name == Self.name }) else { continue }
            home = package.directoryURL
            targets = [product.mainTarget] + product.mainTarget.recursiveTargetDependencies
            recordFile = context.pluginWorkDirectoryURL.appending(path: "tool")
            compiler = try context.tool(named: "swiftc").url.path
            return
        }
        throw ToolFailure(description: "no package here has the executable \(Self.name)")
    }

    /// - Throws: ``ToolFailure`` where it does not compile.
    func executable(builtBy packageManager: PackageManager) throws -> URL {
        // Before the build: what is edited while it runs is built the next time.
        let inputs = inputs()
        if let built = recorded(for: inputs) { return built }
        let result = try packageManager.build(
            .product(Self.name),
            parameters: .init(configuration: .debug, logging: .concise, echoLogs: true))
        guard result.succeeded,
            let built = result.builtArtifacts.first(where: { $0.kind == .executable })?.url
        else {
            throw ToolFailure(description: "\(Self.name) could not be built; the reason is above")
        }
        try? Data("\(built.path)\n\(inputs)".utf8).write(to: recordFile, options: .atomic)
        return built
    }

    /// The executable that was built from these very inputs, if it is still there.
    private func recorded(for inputs: String) -> URL? {
        guard let record = try? String(contentsOf: recordFile, encoding: .utf8),
            let end = record.firstIndex(of: "\n"), record[end...].dropFirst() == inputs
        else { return nil }
        let path = String(record[..<end])
        return FileManager.default.isExecutableFile(atPath: path) ? URL(filePath: path) : nil
    }

    /// One line for each file: when it was changed, its size and its path. The compiler is among them.
    private func inputs() -> String {
        let manifests = packages.map { $0.directoryURL.appending(path: "Package.swift").path }
        let sources = targets.flatMap { target in
            // SwiftPM lists no headers.
            (target as? SwiftSourceModuleTarget)?.sourceFiles.map(\.url.path)
                ?? Self.files(in: target.directoryURL)
        }
        // The executable has them built in, by a way that is no source file of a target.
        let boards = Self.files(in: home.appending(path: "platforms"))
        return ([compiler] + manifests + sources + boards)
            .map(Self.state).joined()
    }

    private static func state(ofFile path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { return "missing \(path)\n" }
        #if os(Linux)
            let changed = status.st_mtim
        #else
            let changed = status.st_mtimespec
        #endif
        return "\(changed.tv_sec).\(changed.tv_nsec) \(status.st_size) \(path)\n"
    }

    private static func files(in folder: URL) -> [String] {
        let names = try? FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return (names ?? []).sorted().map { folder.appending(path: $0).path }
    }

    /// The package and those that it depends on, each once.
    private static func closure(of package: Package) -> [Package] {
        var found: [Package] = []
        var waiting = [package]
        while let next = waiting.popLast() {
            guard !found.contains(where: { $0.id == next.id }) else { continue }
            found.append(next)
            waiting += next.dependencies.map(\.package)
        }
        return found
    }
}

/// There is no executable to become.
struct ToolFailure: Error, CustomStringConvertible {
    let description: String
}
