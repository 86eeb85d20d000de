import Foundation
import Provisioning
import Testing

@testable import Channels

/// What sysfs says of USB, and whom the user means by it.
@Suite struct USBSelectionTests {
    /// A folder like /sys, with one device and its interface.
    private func system(
        class interfaceClass: String = "ff", endpoints: [(String, String, String)] = standard,
        interface: String? = "provisioning"
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let device = "bus/usb/devices/1-2.4"
        try write(
            [
                "idVendor": "1209", "idProduct": "0002", "serial": "SN 2", "product": "board",
                "busnum": "1", "devnum": "12",
            ], to: "\(folder.path)/\(device)")
        var attributes = ["bInterfaceClass": interfaceClass, "bInterfaceNumber": "0a"]
        attributes["interface"] = interface
        try write(attributes, to: "\(folder.path)/\(device):1.0")
        for (address, type, size) in endpoints {
            try write(
                ["bEndpointAddress": address, "type": type, "wMaxPacketSize": size],
                to: "\(folder.path)/\(device):1.0/ep_\(address)")
        }
        return folder
    }

    private static let standard = [("83", "Bulk", "0200"), ("04", "Bulk", "0040")]

    private func write(_ attributes: [String: String], to folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        for (name, value) in attributes {
            try Data("\(value)\n".utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
    }

    @Test func theInterfaceIsReadWithItsEndpoints() throws {
        let folder = try system()
        let all = USBInterface.list(system: folder.path, devices: "/dev")
        let interface = try #require(all.first)
        #expect(all.count == 1)
        #expect(interface.input == .init(address: 0x83, packetSize: 512))
        #expect(interface.output == .init(address: 0x04, packetSize: 64))
        #expect(interface.number == 10)
        #expect(interface.node == "/dev/bus/usb/001/012")
        #expect(interface.driver == nil)
        #expect(
            interface.description
                == "1209:0002 \"board\" SN 2 at 1-2.4, interface 10 \"provisioning\"")
    }

    /// Another class, and endpoints that are not one of bulk in each direction.
    @Test func otherInterfacesAreLeftOut() throws {
        let folders = [
            try system(class: "08"), try system(class: "zz"), try system(endpoints: []),
            try system(endpoints: [("81", "Bulk", "0200")]),
            try system(endpoints: [("81", "Interrupt", "0040"), ("02", "Bulk", "0200")]),
            try system(endpoints: Self.standard + [("85", "Bulk", "0200")]),
            try system(endpoints: [("81", "Bulk", "0000"), ("02", "Bulk", "0200")]),
        ]
        for folder in folders {
            #expect(USBInterface.list(system: folder.path).isEmpty)
        }
        #expect(USBInterface.list(system: "/nowhere").isEmpty)
    }

    @Test(arguments: [
        ("usb:1209:0002", true), ("usb:1209:2", true), ("usb:0x1209:0x0002", true),
        ("usb:1209:0002:SN 2", true), ("usb:SN 2", true), ("usb:1-2.4", true),
        ("usb:1209:0002:1-2.4", true), ("usb:1209:0003", false), ("usb:1208:0002", false),
        ("usb:1209:0002:SN 3", false), ("usb:SN", false), ("usb:1-2", false),
    ])
    func theUserMeansIt(port: String, isMeant: Bool) throws {
        let folder = try system()
        let interface = try #require(USBInterface.list(system: folder.path).first)
        let selection = try #require(try USBSelection(parsing: port))
        #expect(selection.matches(interface) == isMeant)
    }

    @Test func theInterfaceStringCounts() throws {
        let named = try system()
        let unnamed = try system(interface: nil)
        let selection = USBSelection(interface: "provisioning")
        #expect(
            USBInterface.list(system: named.path).filter(selection.matches).count == 1)
        #expect(
            USBInterface.list(system: unnamed.path).filter(selection.matches).isEmpty)
        #expect(
            USBInterface.list(system: named.path)
                .filter(USBSelection(interface: "provision").matches).isEmpty)
    }

    @Test(arguments: [
        "usb:", "usb::", "usb:1209:", "usb::0002", "usb:1209:0002:", "usb:12090:1", "usb:-1:2",
        "usb:12x9:2", "usb:0x:2", "usb:+1:2",
    ])
    func whatNamesNoDeviceIsRefused(port: String) {
        let error = #expect(throws: ProvisioningError.self) { _ = try USBSelection(parsing: port) }
        #expect(error?.code == .usage)
        #expect(error?.reason.contains(port) == true)
    }

    @Test(arguments: ["/dev/ttyACM0", "tcp:localhost:1", "", "USB:1209:0002"])
    func otherPortsAreNoneOfUSB(port: String) throws {
        #expect(try USBSelection(parsing: port) == nil)
    }
}
