import Channels
import Foundation
import Testing

@Suite struct AttachedDeviceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var devices: [AttachedDevice] {
        AttachedDevice.list(devices: "\(folder.path)/dev", system: "\(folder.path)/sys")
    }

    private func write(_ text: String, to path: String) throws {
        let url = URL(filePath: "\(folder.path)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func plug(_ place: String, _ numbers: (String, String), serial: String) throws {
        for (name, text) in [
            ("idVendor", numbers.0), ("idProduct", numbers.1), ("serial", serial),
        ] {
            try write("\(text)\n", to: "sys/devices/pci/usb1/\(place)/\(name)")
        }
        try link("sys/bus/usb/devices/\(place)", to: "sys/devices/pci/usb1/\(place)")
    }

    private func addPort(_ name: String, of place: String?, interface: Int = 1) throws {
        try write("", to: "dev/\(name)")
        guard let place else { return }
        // As the kernel has it: the tty hangs below its interface.
        let interfaceFolder = "sys/devices/pci/usb1/\(place)/\(place):1.\(interface)"
        try write("0\(interface)\n", to: "\(interfaceFolder)/bInterfaceNumber")
        try link("sys/class/tty/\(name)/device", to: interfaceFolder)
    }

    private func link(_ path: String, to target: String) throws {
        let url = URL(filePath: "\(folder.path)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: url.path, withDestinationPath: "\(folder.path)/\(target)")
    }

    /// Though another one has the same serial number.
    @Test func aProbeAndItsPortsAreOneDevice() throws {
        for (place, port) in [("1-1", "ttyACM0"), ("1-2.4", "ttyACM1")] {
            try plug(place, ("1366", "0105"), serial: "000683")
            try addPort(port, of: place)
        }
        try addPort("ttyACM2", of: "1-2.4", interface: 3)
        #expect(devices.map { $0.usb?.location } == ["1-1", "1-2.4"])
        #expect(
            devices.map { $0.ports.map(\.path.lastPart) } == [["ttyACM0"], ["ttyACM1", "ttyACM2"]])
        #expect(devices[1].ports.map(\.interface) == [1, 3])
        #expect(devices.map(\.isProbe) == [true, true])
    }

    /// A place is one socket of one hub, not all that begin as it does.
    @Test func eachPortIsOfTheDeviceInItsPlace() throws {
        let places = ["1-2", "1-2.1", "1-2.10", "1-2.1.1", "2-1", "12-1"]
        for (index, place) in places.enumerated() {
            try plug(place, ("1366", "0105"), serial: "same")
            try addPort("ttyACM\(index)", of: place)
        }
        let found = devices.map { ($0.usb?.location ?? "", $0.ports.map(\.path.lastPart)) }
        #expect(
            Dictionary(uniqueKeysWithValues: found)
                == Dictionary(
                    uniqueKeysWithValues: places.enumerated().map { ($1, ["ttyACM\($0)"]) }))
    }

    /// As the sockets of a hub are counted.
    @Test func placesAreSortedByTheirNumbers() throws {
        let places = ["1-2", "1-2.1", "1-2.1.4", "1-2.3", "1-2.10", "1-10", "2-1", "10-1"]
        for place in places.reversed() { try plug(place, ("1366", "0105"), serial: "same") }
        #expect(devices.map { $0.usb?.location } == places)
    }

    @Test func whatIsNoUSBDeviceIsOneByItself() throws {
        try addPort("ttyAMA0", of: nil)
        // This machine's own end, as a USB device of another's.
        try addPort("ttyGS0", of: nil)
        try plug("1-1", ("046d", "c52b"), serial: "mouse")
        #expect(devices.count == 2)
        #expect(devices[1].usb == nil && devices[1].ports.map(\.path.lastPart) == ["ttyAMA0"])
        #expect(!devices[0].isProbe)
    }

    @Test func aNumberIsTheSameWithoutItsZeros() throws {
        try plug("1-1", ("1366", "0105"), serial: "000683456789")
        let device = try #require(devices.first)
        for number in ["000683456789", "683456789"] { #expect(device.hasSerialNumber(number)) }
        for number in ["83456789", "", "0", "000683456789a"] {
            #expect(!device.hasSerialNumber(number))
        }
    }

    @Test(arguments: ["", "000"]) func noNumberIsNobodys(serial: String) throws {
        try plug("1-1", ("1366", "0105"), serial: serial)
        #expect(try #require(devices.first).hasSerialNumber("") == false)
    }

    @Test func aPortIsFoundByALink() throws {
        try plug("1-1", ("1366", "0105"), serial: "A")
        try addPort("ttyACM0", of: "1-1")
        try link("dev/serial/by-id/usb-board", to: "dev/ttyACM0")
        let device = try #require(devices.first)
        #expect(device.hasPort("\(folder.path)/dev/serial/by-id/usb-board"))
        #expect(!device.hasPort("\(folder.path)/dev/ttyACM1"))
    }

    @Test func nothingThereIsNothing() { #expect(devices.isEmpty) }
}

extension String {
    fileprivate var lastPart: String { split(separator: "/").last.map(String.init) ?? "" }
}
