import Foundation

/// What a run may have left behind.
struct Leftovers {
    private let home: String

    /// To be made before the run.
    init(of provision: Executable) {
        home = provision.home.path
    }

    /// Processes that still know this run's home, as whatever it started does, in whatever group.
    /// Those that were just killed may need a moment.
    func processes() -> [String] {
        for _ in 0..<2400 {
            if look().isEmpty { return [] }
            usleep(25_000)
        }
        return look()
    }

    /// Whether a process whose command has `word` in it runs before `seconds` are over.
    func include(_ word: String, within seconds: Double) -> Bool {
        let deadline = DispatchTime.now() + seconds
        while !look().contains(where: { $0.contains(word) }) {
            if .now() > deadline { return false }
            usleep(5000)
        }
        return true
    }

    private func look() -> [String] {
        let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc")
        return (entries ?? []).compactMap(pid_t.init).filter { $0 != getpid() }.compactMap {
            process in
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ")
            guard environment?.range(of: Data("PROVISION_HOME=\(home)\0".utf8)) != nil else {
                return nil
            }
            let command = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            let words = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return "\(process) \(words.joined(separator: " "))"
        }
    }
}
