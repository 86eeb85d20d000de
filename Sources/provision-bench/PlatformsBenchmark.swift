import Channels
import Foundation
import Platforms

/// Platform files: reading all of them, and finding out which of them an attached board is.
struct PlatformsBenchmark: Benchmark {
    let topic = "platforms"
    let abstract = "reading platform files, and matching what is attached"

    func measure(_ bench: Bench) throws -> [Measurement] {
        bench.progress("platform files")
        let rounds = bench.isQuick ? 3 : 50
        let catalogue = try PlatformCatalogue()
        func milliseconds(_ body: () throws -> Void) throws -> Double {
            Bench.median(try (0..<rounds).map { _ in try Bench.seconds(body) * 1000 })
        }
        var count = 0
        let all = try milliseconds {
            let platforms = try catalogue.entries().map { try $0.platform.get() }
            guard platforms.count >= 50 else { throw Failure("\(platforms.count) platforms") }
            count = platforms.count
        }
        let one = try milliseconds { _ = try catalogue.platform(named: "nrf52840dk") }
        let matching = try Bench.withFolder { folder in
            let devices = try Self.plug(20, in: folder)
            return try milliseconds {
                let platforms = try catalogue.entries().map { try $0.platform.get() }
                let attached = AttachedDevice.list(
                    devices: devices, system: folder.appending(path: "sys").path)
                let matches = attached.map { device in
                    platforms.count { $0.match(device) != nil }
                }
                guard matches.contains(where: { $0 > 1 }) else { throw Failure("nothing matches") }
            }
        }
        return [
            Measurement(
                "all \(count) platforms read and validated", all, "ms", beside: .limit(20),
                .atMost(1)),
            Measurement("one platform by its name", one, "ms"),
            Measurement(
                "20 USB devices matched, all platforms read", matching, "ms", beside: .limit(50),
                .atMost(1)),
        ]
    }

    /// A folder that looks like /sys with ST-LINKs, each with a serial port.
    ///
    /// - Returns: one that looks like /dev.
    private static func plug(_ count: Int, in folder: URL) throws -> String {
        let files = FileManager.default
        func make(_ path: String) throws -> URL {
            let url = folder.appending(path: path)
            try files.createDirectory(at: url, withIntermediateDirectories: true)
            return url
        }
        let bus = try make("sys/bus/usb/devices")
        let nodes = try make("dev")
        for number in 1...count {
            let device = try make("sys/devices/1-\(number)")
            for (name, text) in [
                ("idVendor", "0483"), ("idProduct", "374b"), ("product", "STM32 STLink"),
                ("serial", "066A\(number)"),
            ] { try Data("\(text)\n".utf8).write(to: device.appending(path: name)) }
            try files.createSymbolicLink(
                at: bus.appending(path: "1-\(number)"), withDestinationURL: device)
            let interface = try make("sys/devices/1-\(number)/1-\(number):1.2")
            try Data("02\n".utf8).write(to: interface.appending(path: "bInterfaceNumber"))
            let port = try make("sys/class/tty/ttyACM\(number)")
            try files.createSymbolicLink(
                at: port.appending(path: "device"), withDestinationURL: interface)
            try Data().write(to: nodes.appending(path: "ttyACM\(number)"))
        }
        return nodes.path
    }
}
