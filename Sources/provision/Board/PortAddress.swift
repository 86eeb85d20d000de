import Channels
import Platforms
import Provisioning

/// What the user names in a port's place, and where it leads.
enum PortAddress {
    /// A serial port.
    case path(String)
    /// A tool's RTT socket.
    case socket(ProbeEndpoint)
    case openOCD(OpenOCDAddress)
    case network(UDPEndpoint)
    case usb(USBSelection)
    /// Whatever the platform's adapter understands.
    case adapter(String)

    /// Nil: the user named none.
    ///
    /// - Throws: `.usage`, quoting a name that is none of its kind.
    init?(_ connection: Connection, of platform: Platform?) throws(ProvisioningError) {
        guard let name = connection.port else { return nil }
        if (platform.map(connection.channel(of:)) ?? connection.channel) == .adapter {
            self = .adapter(name)
        } else if let address = try OpenOCDAddress(parsing: name) {
            self = .openOCD(address)
        } else if ["tcp:", "unix:"].contains(where: name.hasPrefix) {
            self = .socket(try Self.socket(name))
        } else if name.hasPrefix(UDPEndpoint.prefix) {
            self = .network(try UDPEndpoint(parsing: name))
        } else if let selection = try USBSelection(parsing: name) {
            self = .usb(selection)
        } else {
            self = .path(name)
        }
    }

    private static func socket(_ name: String) throws(ProvisioningError) -> ProbeEndpoint {
        do {
            return try ProbeEndpoint(parsing: name)
        } catch {
            throw ProvisioningError(
                .usage, "no socket's address: \"\(name)\"",
                hint: "write --port tcp:HOST:PORT or --port unix:PATH")
        }
    }
}

/// OpenOCD's Tcl port: `openocd:HOST` or `openocd:HOST:PORT`.
struct OpenOCDAddress {
    let host: String
    let port: UInt16

    private static let scheme = "openocd:"

    /// Nil where `text` is no such address.
    ///
    /// - Throws: `.usage`, quoting `text`.
    init?(parsing text: String) throws(ProvisioningError) {
        guard text.hasPrefix(Self.scheme) else { return nil }
        let address = text.dropFirst(Self.scheme.count)
        let hasPort = address.hasSuffix("]") ? false : address.contains(":")
        let full = hasPort ? String(address) : "\(address):\(OpenOCDControl.standardPort)"
        guard !address.isEmpty, case .tcp(let host, let port)? = try? ProbeEndpoint(parsing: full)
        else {
            throw ProvisioningError(
                .usage, "no address of OpenOCD's Tcl port: \"\(text)\"",
                hint: "write openocd:HOST or openocd:HOST:PORT")
        }
        (self.host, self.port) = (host, port)
    }
}
