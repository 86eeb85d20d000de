#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The process that has a port open, as far as this user may see.
public struct PortHolder: Sendable, Hashable, CustomStringConvertible {
    public let processID: Int32
    /// The kernel's name for it, at most 15 characters.
    public let command: String

    public var description: String { "\(command) (process \(processID))" }

    /// The first other process with `path` open, else this one, else nil. Linux only: it looks at the
    /// descriptors of every process, of which other users' are hidden.
    public static func find(_ path: String) -> PortHolder? {
        var wanted = stat()
        guard stat(path, &wanted) == 0 else { return nil }
        let own = getpid()
        let others = Directory.names(in: "/proc").compactMap { Int32($0) }.filter { $0 != own }
        for process in others + [own] {
            let folder = "/proc/\(process)/fd"
            for descriptor in Directory.names(in: folder) {
                var found = stat()
                guard stat("\(folder)/\(descriptor)", &found) == 0 else { continue }
                let isSame = found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino
                guard isSame else { continue }
                return PortHolder(processID: process, command: command(of: process))
            }
        }
        return nil
    }

    private static func command(of process: Int32) -> String {
        let bytes = (try? FileBytes.read("/proc/\(process)/comm", limit: 64)) ?? []
        let name = PlainText.sanitized(bytes)
        return name.isEmpty ? "a process" : name
    }
}
