#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The processes below a process, in whatever group or session: build tools give each compiler a group of
/// its own. Those that were detached from their parent are somebody's servers, and not below it.
///
/// Linux only; elsewhere it is empty.
struct ProcessTree {
    /// Process IDs are used again; the start, in clock ticks since boot, is not.
    private struct Member: Hashable {
        let process: pid_t
        let start: UInt64
    }

    private struct Status {
        let parent: pid_t
        let start: UInt64
    }

    /// Where to look for children.
    enum Source: CaseIterable {
        /// Lists of each thread's children, where the kernel has them.
        case lists
        /// Every process there is: a hundred files to read, and on a build server thousands.
        case allProcesses

        static let present: Source =
            access("/proc/thread-self/children", R_OK) == 0 ? .lists : .allProcesses
    }

    private var members: Set<Member> = []
    private let source: Source
    private let send: (pid_t, Int32) -> Int32

    /// Stops what is below `root`, which is stopped, so that nothing of it can start more, or leave its
    /// parent, while it is being found.
    ///
    /// Empty for a root that is no process of ours: what is below init is everybody's, and to kill(2) a
    /// number below 1 is a group of processes, or all of them.
    ///
    /// - Parameter send: what sends a signal to a process: kill(2).
    init(
        stoppingAllBelow root: pid_t, source: Source = .present,
        send: @escaping (pid_t, Int32) -> Int32 = kill
    ) {
        self.source = source
        self.send = send
        guard root > 1 else { return }
        while true {
            let known = members.count
            add(below: root)
            if members.count == known { return }
            signal(SIGSTOP)
        }
    }

    /// What is below `root` at this moment, and goes on.
    init(
        below root: pid_t, source: Source = .present,
        send: @escaping (pid_t, Int32) -> Int32 = kill
    ) {
        self.source = source
        self.send = send
        if root > 1 { add(below: root) }
    }

    private mutating func add(below root: pid_t) {
        let table = source == .allProcesses ? Self.childrenByParent() : nil
        var pending = [root]
        while let parent = pending.popLast() {
            let children = table.map { $0[parent] ?? [] } ?? Self.listedChildren(of: parent)
            for child in children where members.insert(child).inserted {
                pending.append(child.process)
            }
        }
    }

    /// Sends `number` to those that still run.
    func signal(_ number: Int32) {
        for member in members where Self.status(of: member.process)?.start == member.start {
            _ = send(member.process, number)
        }
    }

    private static func childrenByParent() -> [pid_t: [Member]] {
        var children: [pid_t: [Member]] = [:]
        for process in Directory.names(in: "/proc").compactMap({ pid_t($0) }) {
            guard let status = status(of: process) else { continue }
            children[status.parent, default: []].append(
                Member(process: process, start: status.start))
        }
        return children
    }

    private static func listedChildren(of parent: pid_t) -> [Member] {
        var processes = listedProcesses(of: parent)
        // proc(5): while one of them ends, another may be left out. Two lists that agree are whole.
        for _ in 0..<maximumReadings {
            let next = listedProcesses(of: parent)
            defer { processes = next }
            if next == processes { break }
        }
        return processes.compactMap { process in
            guard let status = status(of: process), status.parent == parent else { return nil }
            return Member(process: process, start: status.start)
        }
    }

    /// A process whose children come and go that fast has not been stopped.
    private static let maximumReadings = 8

    private static func listedProcesses(of parent: pid_t) -> [pid_t] {
        Directory.names(in: "/proc/\(parent)/task").flatMap { thread in
            let path = "/proc/\(parent)/task/\(thread)/children"
            let bytes = (try? FileBytes.read(path, limit: 1 << 20)) ?? []
            return bytes.split(separator: UInt8(ascii: " ")).compactMap {
                pid_t(String(decoding: $0, as: UTF8.self))
            }
        }
    }

    /// proc(5): the fields of `stat` behind the name, which may hold spaces and parentheses. Nil: gone.
    private static func status(of process: pid_t) -> Status? {
        guard let text = try? FileBytes.read("/proc/\(process)/stat", limit: 4096),
            let end = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
        // The third field of the line is the first of these; the parent is the 4th, the start the 22nd.
        guard fields.count > 19, let parent = pid_t(String(decoding: fields[1], as: UTF8.self)),
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        return Status(parent: parent, start: start)
    }
}
