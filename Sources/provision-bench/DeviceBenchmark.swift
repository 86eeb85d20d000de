import Channels
import Foundation

/// What it takes to provision one device: the template's firmware as a process of this machine.
struct DeviceBenchmark: Benchmark {
    let topic = "device"
    let abstract = "time and bytes to provision a device over a pty, free and paced"

    private static let baud = 115_200
    /// Bits of a byte on the line: start, 8, stop.
    private static let bitsPerByte = 10.0
    /// 0.71 s at 115,200 baud.
    private static let byteLimit = 8192.0

    func measure(_ bench: Bench) throws -> [Measurement] {
        let image = try bench.firmware()
        return try Bench.withFolder { folder in
            let line = try ProvisioningLine(in: folder)
            func costs(_ count: Int, baud: Int?) throws -> [ProvisioningLine.Cost] {
                try (0..<count).map { number in
                    let state = folder.appending(path: "device-\(baud ?? 0)-\(number)")
                    return try line.provision(
                        NativeDevice(image: image, state: state, baud: baud))
                }
            }
            bench.progress("native devices over a pty")
            let free = try costs(bench.isQuick ? 2 : 50, baud: nil)
            bench.progress("native devices over a pty paced to \(Self.baud) baud")
            let paced = try costs(bench.isQuick ? 1 : 7, baud: Self.baud)
            bench.progress("a write to the disk")
            let disk = try diskWrite(in: folder, count: bench.isQuick ? 3 : 50)
            return figures(ofFree: free, disk) + figures(ofPaced: paced)
        }
    }

    private func figures(ofFree costs: [ProvisioningLine.Cost], _ diskWrite: Double)
        -> [Measurement]
    {
        func median(_ value: (ProvisioningLine.Cost) -> Double) -> Double {
            Bench.median(costs.map { value($0) * 1000 })
        }
        let device = costs.compactMap(\.deviceProcessor)
        var whole = [
            // Pauses of the host's own are in here too, unlike in the first row: it makes them while it
            // listens to the device.
            Measurement(
                "whole time of a native device, port opened to closed", median(\.wall), "ms")
        ]
        if device.count == costs.count {
            whole += [
                Measurement(
                    "of which the device computes", Bench.median(device.map { $0 * 1000 }), "ms"),
                Measurement(
                    "of which neither computes: disk, line and pauses",
                    median { $0.wall - $0.processor - ($0.deviceProcessor ?? 0) }, "ms"),
            ]
        }
        return [
            // The device's own time, most of it for signatures, is not the host's.
            Measurement(
                "host time of a native device, all durable", median { $0.wall - $0.waiting }, "ms",
                beside: .limit(15), .atMost(1)),
            Measurement("of which the host computes", median(\.processor), "ms"),
        ] + whole + [
            Measurement("one durable write to this disk, of three", diskWrite * 1000, "ms")
        ]
    }

    private func figures(ofPaced costs: [ProvisioningLine.Cost]) -> [Measurement] {
        let onTheLine = costs.map { Double($0.byteCount) * Self.bitsPerByte / Double(Self.baud) }
        return [
            Measurement(
                "native device at 115,200 baud", Bench.median(costs.map { $0.wall * 1000 }), "ms",
                beside: .init(name: "its bytes alone", value: Bench.median(onTheLine) * 1000),
                .atMost(1.15)),
            Measurement(
                "bytes to and from a device", Bench.median(costs.map { Double($0.byteCount) }),
                "bytes", beside: .limit(Self.byteLimit), .atMost(1)),
            Measurement(
                "bytes to a device", Bench.median(costs.map { Double($0.bytesSent) }), "bytes"),
            Measurement(
                "bytes from a device", Bench.median(costs.map { Double($0.bytesReceived) }), "bytes"
            ),
        ]
    }

    /// Seconds that 4 KiB behind the end of a file take to become durable: the floor under a commit.
    private func diskWrite(in folder: URL, count: Int) throws -> Double {
        let descriptor = open(
            folder.appending(path: "log").path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw Failure("no file in \(folder.path)") }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 0x55, count: 4096)
        let times = try (0..<count).map { _ in
            try Bench.seconds {
                guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0
                else { throw Failure("\(folder.path) can't be written") }
            }
        }
        return Bench.median(times)
    }
}
