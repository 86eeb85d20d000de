import Channels
import Foundation

/// A folder that looks like /dev and /sys, with what is plugged in.
final class USBTree: Sendable {
    let root: URL
    var devicesFolder: String { root.appending(path: "dev").path }
    var system: String { root.appending(path: "sys").path }

    init() throws {
        root = FileManager.default.temporaryDirectory
            .appending(path: "usb-tree-\(UUID().uuidString.prefix(8))")
        for folder in ["dev", "sys/class/tty", "sys/bus/usb/devices", "sys/devices"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: folder), withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// - Parameters:
    ///   - numbers: `0d28:0204`.
    ///   - ports: the names of its serial ports, each on an interface of its own: 1, 3, 5. They may come later.
    func plug(
        at location: String, _ numbers: String, _ product: String?, serial: String?,
        ports: String...
    ) throws {
        let device = root.appending(path: "sys/devices/\(location)")
        try FileManager.default.createDirectory(at: device, withIntermediateDirectories: true)
        let parts = numbers.split(separator: ":").map(String.init)
        let attributes = [
            ("idVendor", parts[0]), ("idProduct", parts[1]), ("product", product),
            ("serial", serial),
        ]
        for (name, value) in attributes {
            guard let value else { continue }
            try Data("\(value)\n".utf8).write(to: device.appending(path: name))
        }
        let shown = "sys/bus/usb/devices/\(location)"
        if access(root.appending(path: shown).path, F_OK) != 0 { try link(shown, to: device) }
        for (number, port) in ports.enumerated() {
            let interface = device.appending(path: "\(location):1.\(2 * number + 1)")
            try FileManager.default.createDirectory(
                at: interface, withIntermediateDirectories: true)
            try Data("0\(2 * number + 1)\n".utf8).write(
                to: interface.appending(path: "bInterfaceNumber"))
            try add(port: port)
            try link("sys/class/tty/\(port)/device", to: interface)
        }
    }

    /// One that is on no USB.
    func add(port: String) throws {
        try Data().write(to: root.appending(path: "dev/\(port)"))
        try FileManager.default.createDirectory(
            at: root.appending(path: "sys/class/tty/\(port)"), withIntermediateDirectories: true)
    }

    func path(_ port: String) -> String { "\(devicesFolder)/\(port)" }

    func list() -> [AttachedDevice] {
        AttachedDevice.list(devices: devicesFolder, system: system)
    }

    private func link(_ path: String, to target: URL) throws {
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: path), withDestinationURL: target)
    }
}
