import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

/// How long what is named is waited for: until it can be used, and no longer.
@Suite struct AwaitedPlaceTests {
    private let tree: USBTree
    private let interruption: Interruption

    init() throws {
        tree = try USBTree()
        interruption = try Interruption()
    }

    private func platform(_ channel: String) throws -> Platform {
        let text = """
            name = "mine"
            description = "a board"
            board = "mine"
            [match]
            usb = [{ vendor = 0x2e8a, product = 0x000a }]
            [flash]
            method = "gdb"
            [channel]
            kind = "\(channel)"
            """
        return try Platform(parsing: Array(text.utf8), name: "mine", file: "mine.toml")
    }

    /// - Parameter isNamed: whether the user names the platform; else USB tells.
    private func place(
        _ platform: Platform, isNamed: Bool, isFlashing: Bool = false, _ options: String...
    ) throws -> AwaitedPlace? {
        try AwaitedPlace(
            try ConnectionOptions.parse(options).connection, of: isNamed ? platform : nil,
            among: { [platform] }, isFlashing: isFlashing, listDevices: { tree.list() })
    }

    /// The USB device is there before udev has loaded its driver.
    @Test(arguments: [true, false]) func aDeviceIsWaitedForUntilItHasItsPort(isNamed: Bool) throws {
        let uart = try platform("uart")
        let place = try #require(
            try place(
                uart, isNamed: isNamed, "--usb-serial", "E660A", "--timeout", "port=60s"))
        #expect("\(place)" == "a USB device with the serial number E660A to be plugged in")
        try tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "E660A")
        #expect("\(place)" == "the serial port of the USB device with the serial number E660A")
        let coming = Thread { [tree] in
            usleep(500_000)
            try? tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "E660A", ports: "ttyACM0")
        }
        coming.start()
        try place.wait(interruption) { _ in }
        #expect(tree.list()[0].ports.map(\.path) == [tree.path("ttyACM0")])
    }

    /// Nobody opens one, or it comes with the new firmware.
    @Test func aDeviceThatNeedsNoPortIsNotWaitedFor() throws {
        try tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "E660A")
        try tree.plug(at: "1-2", "ffff:0001", "something", serial: "E660B")
        let uart = try platform("uart")
        #expect(
            try place(uart, isNamed: false, "--usb-serial", "E660A", "--channel", "rtt") == nil)
        #expect(try place(uart, isNamed: true, isFlashing: true, "--usb-serial", "E660A") == nil)
        #expect(try place(uart, isNamed: false, "--usb-serial", "E660B") == nil)
        #expect(try place(uart, isNamed: false, "--usb-serial", "E660A") != nil)
    }

    /// A time of its own, and not the one until it is plugged in.
    @Test func whatStaysClosedIsNotWaitedForLong() throws {
        let path = tree.path("ttyACM0")
        let place = try #require(
            try AwaitedPlace(
                try ConnectionOptions.parse(["--port", path, "--timeout", "port=10min"]).connection,
                of: nil, among: { [] }, isFlashing: false, mayOpen: { _ in false }))
        try tree.add(port: "ttyACM0")
        let start = ContinuousClock.now
        try place.wait(interruption) { #expect($0.hasPrefix("waiting 600 s for \(path)")) }
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(ContinuousClock.now - start < .seconds(300))
    }

    /// Also if its time is over by then: udev was late, not the user.
    @Test func whatIsOpenedInTimeIsUsed() throws {
        let path = tree.path("ttyACM0")
        var looks = 0
        let place = try #require(
            try AwaitedPlace(
                try ConnectionOptions.parse(["--port", path, "--timeout", "port=1ms"]).connection,
                of: nil, among: { [] }, isFlashing: false,
                mayOpen: { _ in
                    looks += 1
                    return looks == 2
                }))
        try tree.add(port: "ttyACM0")
        try place.wait(interruption) { _ in }
        #expect(looks == 2)
    }
}
