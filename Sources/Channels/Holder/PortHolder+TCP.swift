#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension PortHolder {
    /// Who listens at a TCP port of this computer: at one of its addresses, or at all of them. Linux only: it looks
    /// at the descriptors of every process, of which other users' are hidden.
    ///
    /// - Parameter address: 4 or 16 octets; none, or all zero: whichever it is.
    static func find(listeningAt port: UInt16, of address: [UInt8] = []) -> PortHolder? {
        let found = ["tcp", "tcp6"].flatMap { listeners(at: port, in: "/proc/net/\($0)") }
        func isUnspecified(_ octets: [UInt8]) -> Bool { octets.allSatisfy { $0 == 0 } }
        guard !isUnspecified(address) else { return holder(of: found.map(\.socket)) }
        return holder(of: found.filter { $0.address == address }.map(\.socket))
            ?? holder(of: found.filter { isUnspecified($0.address) }.map(\.socket))
    }

    private static func holder(of sockets: [String]) -> PortHolder? {
        guard !sockets.isEmpty else { return nil }
        return processes { target(of: $0).map(sockets.contains) ?? false }
            .first { _ in true }.map(PortHolder.init)
    }

    /// proc(5): `0: 0100007F:4A4D 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1234 …`, where
    /// 0A is LISTEN and the tenth word the inode; as the links of its descriptors name it.
    private static func listeners(
        at port: UInt16, in table: String
    ) -> [(address: [UInt8], socket: String)] {
        let bytes = (try? FileBytes.read(table, limit: 1 << 22)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 10, words[3] == "0A" else { return nil }
            let place = words[1].split(separator: ":")
            guard place.count == 2, UInt16(place[1], radix: 16) == port else { return nil }
            return (address(place[0]), "socket:[\(words[9])]")
        }
    }

    /// Numbers of 32 bits, as they lie in memory. An IPv4 address that is mapped into IPv6 is itself: RFC 4291
    /// §2.5.5.2.
    private static func address(_ digits: Substring) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = digits
        while let number = UInt32(rest.prefix(8), radix: 16) {
            withUnsafeBytes(of: number) { octets += $0 }
            rest = rest.dropFirst(8)
        }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return octets.starts(with: mapped) ? Array(octets.dropFirst(mapped.count)) : octets
    }

    private static func target(of link: String) -> String? {
        var room = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &room, room.count)
        guard count > 0 else { return nil }
        return String(decoding: room.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
