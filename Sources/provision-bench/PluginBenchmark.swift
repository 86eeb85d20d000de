import Foundation

/// What the doorbell costs.
struct PluginBenchmark: Benchmark {
    let topic = "plugin"
    let abstract = "what `swift package provision` adds to the executable, once all is built"

    func measure(_ bench: Bench) throws -> [Measurement] {
        // SwiftPM builds the tool for its plugin once more, in the firmware package.
        bench.progress("building the tool for swift package provision")
        let plugin = Program(
            ["swift", "package", "--package-path", Bench.template.path, "provision", "--version"])
        _ = try plugin.runSuccessfully()
        let direct = Program([
            Bench.template.appending(path: ".build/debug/provision").path, "--version",
        ])
        return try Bench.withFolder { folder in
            let empty = try Self.emptyPlugin(in: folder)
            _ = try empty.runSuccessfully()
            bench.progress("swift package provision --version")
            // By turns, since what else the machine does changes.
            let rounds = try (0..<(bench.isQuick ? 1 : 9)).map { _ in
                (
                    plugin: try plugin.runSuccessfully().seconds,
                    direct: try direct.runSuccessfully().seconds,
                    empty: try empty.runSuccessfully().seconds
                )
            }
            return [
                Measurement(
                    "swift package provision adds",
                    Bench.median(rounds.map { $0.plugin - $0.direct }) * 1000, "ms",
                    beside: .limit(500), .atMost(1)),
                Measurement(
                    "swift package with a plugin that does nothing takes",
                    Bench.median(rounds.map(\.empty)) * 1000, "ms"),
            ]
        }
    }

    /// What SwiftPM takes for itself: a package of nothing but a plugin that does nothing.
    private static func emptyPlugin(in folder: URL) throws -> Program {
        let package = folder.appending(path: "empty")
        let plugin = package.appending(path: "Plugins/Empty")
        try FileManager.default.createDirectory(at: plugin, withIntermediateDirectories: true)
        let manifest = """
            // swift-tools-version: 6.2
            import PackageDescription

            let package = Package(
                name: "empty",
                targets: [
                    .plugin(
                        name: "Empty",
                        capability: .command(
                            intent: .custom(verb: "nothing", description: "Nothing.")))
                ])
            """
        let source = """
            import PackagePlugin

            @main struct Empty: CommandPlugin {
                func performCommand(context: PluginContext, arguments: [String]) {}
            }
            """
        try Data(manifest.utf8).write(to: package.appending(path: "Package.swift"))
        try Data(source.utf8).write(to: plugin.appending(path: "Empty.swift"))
        return Program(["swift", "package", "--package-path", package.path, "nothing"])
    }
}
