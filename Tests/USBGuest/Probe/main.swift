import Channels
import Foundation
import Provisioning
import ProvisioningTesting

// What the guest asks of the USB channel itself, without the tool around it.
//
//   usb-probe echo COUNT             the same as `bare`, through the channel
//   usb-probe stream LENGTH COUNT
//   usb-probe promises PROGRAM FUNCTIONFS UDC-FILE UDC
//                                    the suite of a channel's promises, with a relay as the device

func seconds(_ body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(body) / .seconds(1)
}

func openChannel() throws -> USBBulkChannel {
    guard let interface = USBInterface.list().first else { throw Missing("an interface") }
    return try USBBulkChannel(interface, interruption: Interruption())
}

struct Missing: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

func read(_ length: Int, from channel: USBBulkChannel) throws {
    var count = 0
    while count < length {
        let bytes = try channel.read(atMost: 1 << 14, within: .seconds(60))
        guard !bytes.isEmpty else { throw Missing("bytes after \(count)") }
        count += bytes.count
    }
}

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "echo":
    let channel = try openChannel()
    let (count, bytes) = (Int(arguments[2]) ?? 0, [UInt8](repeating: 0x55, count: 64))
    print(
        try seconds {
            for _ in 0..<count {
                try channel.write(bytes, within: .seconds(60))
                try read(bytes.count, from: channel)
            }
        })
    channel.close()
case "stream":
    let channel = try openChannel()
    let (length, count) = (Int(arguments[2]) ?? 0, Int(arguments[3]) ?? 0)
    print(
        try seconds {
            for _ in 0..<count {
                try channel.write([0], within: .seconds(60))
                try read(length, from: channel)
            }
        })
    channel.close()
case "promises":
    let relay = Relay(command: Array(arguments.dropFirst()))
    for check in ChannelCheck.allCases {
        do {
            let isMade = try check.run { try relay.open() }
            print("PROMISE \(isMade ? "kept" : "not tried"): \(check.rawValue)")
        } catch {
            print("PROMISE broken: \(check.rawValue): \(error)")
        }
        relay.stop()
    }
default:
    print("usb-probe: what?")
    exit(2)
}
