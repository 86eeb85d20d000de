#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A program, its arguments and where it runs. Never a shell's command line.
public struct Command: Sendable, Hashable, CustomStringConvertible {
    /// The program's name or path first.
    public var arguments: [String]
    /// Nil: this process's.
    public var directory: String?
    /// Added to this process's environment; nil removes.
    public var environment: [String: String?]

    public init(
        _ arguments: [String], directory: String? = nil, environment: [String: String?] = [:]
    ) {
        self.arguments = arguments
        self.directory = directory
        self.environment = environment
    }

    /// For messages, with quotes where a reader needs them.
    public var description: String {
        arguments.map { argument in
            let isPlain = !argument.isEmpty && !argument.contains { " \t'\"\\$*?[]".contains($0) }
            return isPlain ? argument : "'\(argument)'"
        }.joined(separator: " ")
    }
}

extension Command {
    /// Whether its program would be found, if it were run now.
    public var isInstalled: Bool { programPath != nil }

    /// Where its program would be found, if it were run now. Nil: nowhere.
    public var programPath: String? {
        guard let program = arguments.first else { return nil }
        let path = Launch.environment(overriding: environment)["PATH"] ?? Launch.standardPath
        guard let found = Launch.search(program, path) else { return nil }
        let place = found.hasPrefix("/") ? found : (directory.map { $0 + "/" } ?? "") + found
        return access(place, X_OK) == 0 ? place : nil
    }
}
