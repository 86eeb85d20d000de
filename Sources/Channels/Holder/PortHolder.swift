#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A process that has a port or a file, as far as this user may see.
public struct PortHolder: Sendable, Hashable, CustomStringConvertible {
    public let processID: Int32
    /// The kernel's name for it, at most 15 characters.
    public let command: String

    public var description: String { "\(command) (process \(processID))" }

    public init(processID: Int32) {
        self.processID = processID
        let bytes = (try? FileBytes.read("/proc/\(processID)/comm", limit: 64)) ?? []
        let name = PlainText.sanitized(bytes)
        command = name.isEmpty ? "a process" : name
    }

    /// Who keeps others from `path`: the process that holds its lock, else one that has it open, else
    /// nil. Linux only: it looks at the descriptors of every process, of which other users' are hidden.
    public static func find(_ path: String) -> PortHolder? {
        if let holder = findLockHolder(path) { return holder }
        guard let file = FileIdentity(path) else { return nil }
        let own = getpid()
        let openers = openers(of: file)
        return (openers.first { $0 != own } ?? openers.first).map(PortHolder.init)
    }

    /// The process that took the lock of `path` which is held; not one that only looks into it. Linux only.
    public static func findLockHolder(_ path: String) -> PortHolder? {
        FileIdentity(path).flatMap(lockHolder).map(PortHolder.init)
    }

    /// Another process that has `path` open, and may take what is meant for this one. Not the one that
    /// plays the device behind a pseudo-terminal.
    public static func findEavesdropper(_ path: String) -> PortHolder? {
        guard let file = FileIdentity(path) else { return nil }
        let own = getpid()
        return openers(of: file)
            .first { $0 != own && !isDevice(behind: file, process: $0) }
            .map(PortHolder.init)
    }

    /// From `/proc/locks`, a line for each: `1: FLOCK ADVISORY WRITE 812 00:18:5 0 EOF`.
    private static func lockHolder(of file: FileIdentity) -> Int32? {
        let bytes = (try? FileBytes.read("/proc/locks", limit: 1 << 22)) ?? []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", let process = Int32(words[4]),
                process > 0
            else { continue }
            // Major and minor number in hexadecimal, the inode in decimal.
            let place = words[5].split(separator: ":")
            guard place.count == 3, UInt64(place[2]) == file.inode,
                UInt32(place[0], radix: 16) == file.major, UInt32(place[1], radix: 16) == file.minor
            else { continue }
            return process
        }
        return nil
    }

    private static func openers(of file: FileIdentity) -> [Int32] {
        Array(processes { FileIdentity($0) == file })
    }

    /// Those with a descriptor that is meant, lowest number first. Each is looked at only when it is asked for.
    ///
    /// - Parameter isMeant: gets the path of a link that leads to what a descriptor does.
    static func processes(with isMeant: @escaping (String) -> Bool) -> some Sequence<Int32> {
        Directory.names(in: "/proc").compactMap { Int32($0) }.sorted().lazy.filter { process in
            let folder = "/proc/\(process)/fd"
            return Directory.names(in: folder).contains { isMeant("\(folder)/\($0)") }
        }
    }

    /// Whether `process` has the master of this pseudo-terminal: Linux shows its number with each.
    private static func isDevice(behind file: FileIdentity, process: Int32) -> Bool {
        guard let number = file.terminalNumber else { return false }
        let folder = "/proc/\(process)/fdinfo"
        return Directory.names(in: folder).contains { name in
            let bytes = (try? FileBytes.read("\(folder)/\(name)", limit: 4096)) ?? []
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
                let words = line.split { $0 == " " || $0 == "\t" }
                return words.count == 2 && words[0] == "tty-index:" && UInt32(words[1]) == number
            }
        }
    }
}
