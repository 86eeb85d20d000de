public import Provisioning

/// Where a GDB server listens: `tcp:HOST:PORT`, `HOST:PORT`, `:PORT` or `unix:PATH`.
public enum ProbeEndpoint: Sendable, Hashable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// - Throws: `.usage`, quoting `text`.
    public init(parsing text: String) throws(ProvisioningError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, !path.utf8.contains(0) else { throw Self.malformed(text) }
            self = .unix(path: path)
            return
        }
        let address = text.hasPrefix("tcp:") ? text.dropFirst("tcp:".count) : text[...]
        guard let colon = address.lastIndex(of: ":") else { throw Self.malformed(text) }
        let digits = address[address.index(after: colon)...]
        var host = address[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Self.malformed(text)
        }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits), port > 0, Self.isHostName(host)
        else { throw Self.malformed(text) }
        self = .tcp(host: host.isEmpty ? "localhost" : String(host), port: port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port) where host.contains(":"): "tcp:[\(host)]:\(port)"
        case .tcp(let host, let port): "tcp:\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    private static func isHostName(_ text: Substring) -> Bool {
        text.utf8.count <= 253
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "-._:%".unicodeScalars.contains(scalar)
            }
    }

    private static func malformed(_ text: String) -> ProvisioningError {
        ProvisioningError(
            .usage, "no GDB server address: \"\(text)\"",
            hint: "write HOST:PORT, tcp:HOST:PORT or unix:PATH")
    }
}
