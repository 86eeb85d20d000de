import PlatformAdapter
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An adapter as a file: `provision-platform-NAME`.
public struct AdapterProgram: Sendable, Hashable, CustomStringConvertible {
    /// The platform's.
    public let name: String
    /// With a slash, so that nothing looks for it again.
    public let path: String

    public var description: String { path }

    /// The program that the user named by its path.
    ///
    /// - Throws: `.usage` unless it is called `provision-platform-NAME`.
    public init(path: String) throws(ProvisioningError) {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let prefix = AdapterProtocol.programPrefix
        guard path.contains("/"), file.hasPrefix(prefix), file.count > prefix.count else {
            throw ProvisioningError(
                .usage, "\(path) is no adapter: its name is not \(prefix)NAME",
                hint: "an adapter named by its path has a slash in it: ./\(prefix)mine")
        }
        name = String(file.dropFirst(prefix.count))
        self.path = path
    }

    private init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// Looks for `provision-platform-NAME` in `folder`, and then in the absolute folders of `PATH`. Never in
    /// the current folder: whoever unpacks somebody's archive and stands in it has not yet asked for its
    /// programs to be run.
    ///
    /// - Parameters:
    ///   - folder: the platform file's.
    ///   - searchPath: nil: this process's `PATH`.
    /// - Returns: nil if there is none.
    public static func find(
        _ name: String, beside folder: String? = nil,
        searchPath: String? = nil
    ) -> AdapterProgram? {
        places(of: name, beside: folder, searchPath).first { isFile($0) && access($0, X_OK) == 0 }
            .map { AdapterProgram(name: name, path: $0) }
    }

    /// What to do with a file of that name which `find` passed over, as a hint.
    ///
    /// - Parameters: those of `find`, which returned nil.
    /// - Returns: nil if there is no such file.
    public static func hint(
        for name: String, beside folder: String? = nil, searchPath: String? = nil
    ) -> String? {
        if let path = places(of: name, beside: folder, searchPath).first(where: isFile) {
            return "\(path) is no program that you may run: chmod +x \(path)"
        }
        let file = "./" + AdapterProtocol.programPrefix + name
        guard isName(name), isFile(file) else { return nil }
        return "\(file) is in the current folder, which is never looked into: move it to another "
            + "folder of PATH, or try it with provision check \(file)"
    }

    /// Where it may be, the first wins.
    private static func places(
        of name: String, beside folder: String?, _ searchPath: String?
    ) -> [String] {
        let searchPath =
            searchPath ?? getenv("PATH").map { String(cString: $0) }
            ?? "/usr/local/bin:/usr/bin:/bin"
        let file = AdapterProtocol.programPrefix + name
        guard isName(name) else { return [] }
        var folders = searchPath.split(separator: ":").map(String.init)
            .filter { $0.hasPrefix("/") && !$0.hasPrefix("/proc/") }
        if let folder { folders.insert(folder, at: 0) }
        folders.removeAll(where: isCurrent)
        return folders.map { $0.contains("/") ? "\($0)/\(file)" : "./\($0)/\(file)" }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.contains("/") && !name.utf8.contains(0)
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether a folder is the current one, by whatever name.
    private static func isCurrent(_ folder: String) -> Bool {
        FileIdentity(folder).map { $0 == FileIdentity(".") } ?? false
    }
}
