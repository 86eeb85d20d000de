import Channels
import Foundation
import Provisioning

/// The serial port of the board at hand, chosen before the board is flashed.
///
/// A board that is its own USB device leaves with its old firmware, and comes back with the new one, maybe
/// as another port. Until then another board's port may be the only one: that one was not flashed.
struct ChosenPort {
    /// Nil: there was none, as with a board that has no firmware yet.
    private let port: SerialPortDescription?

    var path: String? { port?.path }

    /// The one that the user named. Nil for one that is not listed: only its path tells what it is.
    init?(named path: String, among ports: [SerialPortDescription]) {
        let node = URL(filePath: path).resolvingSymlinksInPath().path
        guard let port = ports.first(where: { [path, node].contains($0.path) }) else { return nil }
        self.port = port
    }

    /// The only one there is.
    ///
    /// - Throws: `.channelUnavailable` where there are several.
    init(among ports: [SerialPortDescription]) throws(ProvisioningError) {
        guard ports.count <= 1 else { throw Self.ambiguous(ports) }
        port = ports.first
    }

    /// Where it is now.
    ///
    /// - Throws: `.channelUnavailable` where it is not there, whatever else is.
    func current(among ports: [SerialPortDescription]) throws(ProvisioningError) -> String {
        guard let port else {
            guard let new = ports.first else {
                throw ProvisioningError(
                    .channelUnavailable, "no serial port is attached",
                    hint: "connect the board, or name its port with --port")
            }
            guard ports.count == 1 else { throw Self.ambiguous(ports) }
            return new.path
        }
        let same = Self.ofSameInterface(as: port, among: ports.filter { Self.isSame($0, port) })
        if same.count > 1, !same.contains(where: { $0.path == port.path }) {
            throw Self.ambiguous(same)
        }
        guard let now = same.first(where: { $0.path == port.path }) ?? same.first else {
            let others =
                ports.isEmpty
                ? "" : "; attached are others: \(ports.map(\.path).joined(separator: ", "))"
            throw ProvisioningError(
                .channelUnavailable, "the board's port \(Self.name(of: port)) is gone\(others)",
                hint: "does its firmware still have a USB port? name it with --port")
        }
        return now.path
    }

    /// Serial numbers decide only where places are not known.
    private static func isSame(_ a: SerialPortDescription, _ b: SerialPortDescription) -> Bool {
        guard let usb = a.usb, let other = b.usb else {
            return a.usb == nil && b.usb == nil && a.path == b.path
        }
        return usb.sharesPlace(with: other) ?? (usb.serialNumber != nil && usb == other)
    }

    /// Of a device's ports the one that is on the same interface, under whatever name it came back: its old
    /// name may be another's by now. All of them where another firmware has other interfaces.
    private static func ofSameInterface(
        as port: SerialPortDescription, among ports: [SerialPortDescription]
    ) -> [SerialPortDescription] {
        let same = ports.filter { $0.interface == port.interface }
        return same.isEmpty ? ports : same
    }

    private static func name(of port: SerialPortDescription) -> String {
        port.usb.map { "\(port.path) (\($0))" } ?? port.path
    }

    private static func ambiguous(_ ports: [SerialPortDescription]) -> ProvisioningError {
        ProvisioningError(
            .channelUnavailable,
            "\(ports.count) serial ports are attached: \(ports.map(\.path).joined(separator: ", "))",
            hint: "choose one with --port")
    }
}
