import Channels
import Foundation
import JTAGProbe
import Provisioning
import Testing

extension HostileDesk {
    /// How the tool reaches a device's line.
    enum Way: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case serialPort
        /// The same without the console framing.
        case raw
        /// Through a debug probe: OpenOCD's Tcl port, and its GDB server.
        case rtt, gdb
        /// The socket of a tool that has the probe.
        case socket
        case udp, usb

        var testDescription: String { rawValue }

        /// Whether a probe plays JTAG bit by bit for it.
        var isProbed: Bool { self == .rtt || self == .gdb }

        /// Datagrams carry nothing but a whole message, raw lines no frames, and a probe that plays JTAG no
        /// flood.
        fileprivate func carries(_ hostility: Hostility) -> Bool {
            let isOfLine = hostility.kind == .line
            return switch self {
            case .serialPort, .socket, .usb: true
            case .rtt, .gdb: !hostility.isFlood
            case .raw: !isOfLine && hostility.code != .noAnswer
            case .udp: !isOfLine && hostility.code != .noAnswer && !hostility.isFlood
            }
        }
    }

    /// Those of `hostilities` that `way` carries.
    ///
    /// - Parameters:
    ///   - first: see `Executable.sample`.
    ///   - step: 1 for all. Where one way differs from another in what carries the bytes only, floods and some
    ///     others are enough.
    private static func cases(
        _ hostilities: [Hostility], _ way: Way, from first: Int, each step: Int = 1
    ) -> [(Hostility, Way)] {
        let carried = hostilities.filter(way.carries).enumerated()
        let some = carried.filter { $0.offset % step == 0 || $0.element.isFlood }.map(\.element)
        return Executable.sample(some, from: first).map { ($0, way) }
    }

    /// Where nothing but this computer is needed.
    static func ways(_ hostilities: [Hostility]) -> [(Hostility, Way)] {
        cases(hostilities, .serialPort, from: 0) + cases(hostilities, .udp, from: 1)
            + cases(hostilities, .raw, from: 2, each: 2)
            + cases(hostilities, .socket, from: 3, each: 4)
    }

    static let rawLines = Executable.sample(Hostility.onTheRawLine, from: 1).map { ($0, Way.raw) }

    /// Through a probe.
    static func probed(_ hostilities: [Hostility]) -> [(Hostility, Way)] {
        cases(hostilities, .rtt, from: 2) + cases(hostilities, .gdb, from: 1, each: 4)
    }

    /// `provision enroll` with a device whose line is `port`, a pty.
    func enroll(over port: String, _ options: [String]) throws -> Executable.Result {
        switch way {
        case .serialPort: return try enroll(at: ["--port", port], options)
        case .raw:
            let relay = try StreamRelay(raw: port)
            defer { relay.end() }
            return try enroll(at: ["--port", relay.port, "--framing", "raw"], options)
        case .socket:
            let relay = try StreamRelay(socket: port)
            defer { relay.end() }
            return try enroll(at: ["--port", relay.port], options)
        case .udp:
            let relay = try DatagramRelay(port)
            defer { relay.end() }
            return try enroll(at: ["--port", "udp:127.0.0.1:\(relay.port)"], options)
        case .usb:
            let mock = try USBMock(line: port, for: provision)
            return try mock.run(
                arguments(USBMock.port) + options, within: Self.patience)
        case .rtt, .gdb: return try enroll(of: ChipOnLine(port).ram, options)
        }
    }

    /// Through a probe, with a chip whose RAM is this.
    func enroll(of ram: TargetRAM, _ options: [String] = []) throws -> Executable.Result {
        let server = try OpenOCD(ram)
        _ = try server.connect(Interruption())
        return way == .gdb
            ? try enroll(
                at: ["--channel", "rtt", "--probe", "tcp:127.0.0.1:\(server.gdbPort)"], options)
            : try enroll(at: ["--port", "openocd:127.0.0.1:\(server.tclPort)"], options)
    }

    private func enroll(at place: [String], _ options: [String]) throws -> Executable.Result {
        try provision.run(Executable.url, arguments(at: place) + options, within: Self.patience)
    }
}
