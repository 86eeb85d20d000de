public import Provisioning

/// Where a device listens for datagrams: `udp:HOST` or `udp:HOST:PORT`, with an IPv6 address in brackets.
public struct UDPEndpoint: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: UInt16

    /// Where SMP servers listen: Zephyr's CONFIG_MCUMGR_TRANSPORT_UDP_PORT.
    public static let standardPort: UInt16 = 1337
    public static let prefix = "udp:"

    /// - Throws: `.usage`, quoting `text`.
    public init(parsing text: String) throws(ProvisioningError) {
        guard text.hasPrefix(Self.prefix) else { throw Self.malformed(text) }
        let address = text.dropFirst(Self.prefix.count)
        // Without one, whatever stands behind the address would have to be a part of it.
        let hasPort =
            address.hasSuffix("]") ? false : address.contains { $0 == ":" } || address.isEmpty
        let full = hasPort ? "tcp:\(address)" : "tcp:\(address):\(Self.standardPort)"
        guard !address.hasPrefix(":"), !address.hasPrefix("[]"),
            case .tcp(let host, let port)? = try? ProbeEndpoint(
                parsing: full)
        else { throw Self.malformed(text) }
        self.host = host
        self.port = port
    }

    public var description: String {
        host.contains(":") ? "udp:[\(host)]:\(port)" : "udp:\(host):\(port)"
    }

    private static func malformed(_ text: String) -> ProvisioningError {
        ProvisioningError(
            .usage, "no UDP address: \"\(text)\"",
            hint: "write udp:HOST or udp:HOST:PORT; an IPv6 address in brackets: udp:[::1]:1337")
    }
}
