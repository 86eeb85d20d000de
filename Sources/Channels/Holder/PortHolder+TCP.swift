#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension PortHolder {
    /// Who listens at a TCP port of this computer, at whichever of its addresses. Linux only: it looks at the
    /// descriptors of every process, of which other users' are hidden.
    static func find(listeningAt port: UInt16) -> PortHolder? {
        let sockets = Set(["tcp", "tcp6"].flatMap { listeners(at: port, in: "/proc/net/\($0)") })
        guard !sockets.isEmpty else { return nil }
        return processes { target(of: $0).map(sockets.contains) ?? false }
            .first { _ in true }.map(PortHolder.init)
    }

    /// proc(5): `0: 0100007F:4A4D 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1234 …`, where
    /// 0A is LISTEN and the tenth word the inode; as the links of its descriptors name it.
    private static func listeners(at port: UInt16, in table: String) -> [String] {
        let bytes = (try? FileBytes.read(table, limit: 1 << 22)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 10, words[3] == "0A",
                let digits = words[1].split(separator: ":").last, UInt16(digits, radix: 16) == port
            else { return nil }
            return "socket:[\(words[9])]"
        }
    }

    private static func target(of link: String) -> String? {
        var room = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &room, room.count)
        guard count > 0 else { return nil }
        return String(decoding: room.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
