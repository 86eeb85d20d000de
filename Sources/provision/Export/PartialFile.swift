import Channels
import Foundation

/// A new file beside the one whose place it is to take: `keys.csv.provision-8315702946.partial`.
///
/// Its process has it locked. One that nobody has locked is what a killed process left, and the next export to
/// the same place removes it.
struct PartialFile {
    /// Nobody else's: a signal may remove what is there before this process has made it.
    let path: String
    private let place: String
    /// What its name begins with, of the name of what it is to become.
    private let start: String

    /// Nobody else's file is taken for a leftover.
    private static let mark = ".provision-"
    private static let end = ".partial"
    /// Digits of the largest number.
    private static let digitCount = 20
    /// What a cleaner takes to see that a file is not its, and more.
    private static let patience = 20
    /// Microseconds.
    private static let pause: UInt32 = 10_000

    init(beside place: String) {
        self.place = place
        let name = place.lastIndex(of: "/").map { place[place.index(after: $0)...] } ?? place[...]
        start = Self.start(of: name, in: place.containingFolder)
        // Not the process's number, which another one has in another container.
        let number = UInt64.random(in: 0...UInt64.max)
        path = "\(place.dropLast(name.count))\(start)\(number)\(Self.end)"
    }

    /// A long name is cut: with what is added, it is to be no longer than its file system takes. One that is
    /// too long by itself stays so, and is refused before there is anything to put there.
    private static func start(of name: Substring, in folder: String) -> String {
        let longest = pathconf(folder, Int32(_PC_NAME_MAX))
        // What is taken at least where a folder does not tell, or is not there.
        let limit = longest > 0 ? longest : 255
        guard name.utf8.count <= limit else { return name + mark }
        let room = limit - mark.utf8.count - digitCount - end.utf8.count
        var name = String(name)
        while name.utf8.count > room, !name.isEmpty { name.unicodeScalars.removeLast() }
        return name + mark
    }

    /// - Returns: open for writing, and locked until it is closed; negative: `errno` says why.
    func create() -> Int32 {
        removeLeftovers()
        while true {
            let descriptor = open(
                path, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else { return descriptor }
            // Where nothing can be locked, nothing is taken for a leftover either; and whoever may read it could
            // keep it locked.
            var tries = 0
            while !Self.lock(descriptor), tries < Self.patience {
                usleep(Self.pause)
                tries += 1
            }
            guard !Self.isAt(path, descriptor) else { return descriptor }
            // Between the two, another process took it for one.
            close(descriptor)
        }
    }

    private func removeLeftovers() {
        let folder = place.containingFolder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where isOurs(name) {
            let leftover = "\(folder)/\(name)"
            let descriptor = open(leftover, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            if Self.lock(descriptor), Self.isAt(leftover, descriptor) { unlink(leftover) }
            close(descriptor)
        }
    }

    private func isOurs(_ name: String) -> Bool {
        guard name.hasPrefix(start), name.hasSuffix(Self.end) else { return false }
        let number = name.dropFirst(start.count).dropLast(Self.end.count)
        return !number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func lock(_ descriptor: Int32) -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Whether the path still leads to the file that was opened there.
    private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
            && opened.st_mode & S_IFMT == S_IFREG
            && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }
}
