import Foundation
import JTAGProbe
import Testing

extension SwiftPackage {
    /// Whether `provision-bench` measures what it says. How fast things are is not asked here: this
    /// build is for debugging, and the machine has other things to do.
    ///
    /// It uses the plugin in the template's folder.
    @Suite struct BenchmarkTests {
        private static let url = Executable.url.deletingLastPathComponent()
            .appending(path: "provision-bench")

        private struct Report: Decodable {
            struct Topic: Decodable {
                let name: String
                let measurements: [Measurement]
            }

            struct Measurement: Decodable {
                let name: String
                let value: Double
                let ratio: Double?
                let holds: Bool?
            }

            let topics: [Topic]
            let skipped: [String]
            let failed: [String]
            let processorCount: Int
            let stolenShare: Double?
        }

        /// Figures of which something is asked.
        private struct Promise {
            let topic: String
            let figures: [String]
            /// Whether what the topic needs is here; if not, it may be left out, and has to say so.
            var isPossible = true
        }

        private static var promises: [Promise] {
            let emulator = "/usr/bin/qemu-system-arm"
            let hasEmulator = FileManager.default.isExecutableFile(atPath: emulator)
            return [
                Promise(
                    topic: "device",
                    figures: [
                        "host time of a native device, all durable",
                        "native device at 115,200 baud", "bytes to and from a device",
                    ]),
                Promise(topic: "parallel", figures: ["8 native devices side by side"]),
                Promise(
                    topic: "cryptography",
                    figures: ["evidence appraised", "X.509 chains, possession checked", "CWTs"]),
                Promise(
                    topic: "registry",
                    figures: ["keyset", "ariel-peers --scope allow-all", "aiocoap"].map {
                        "export --format \($0) of 10,000, peak"
                    }),
                Promise(
                    topic: "rtt",
                    figures: [
                        "log through RTT, a ring of 64 KiB", "microbit-qemu provisioned over RTT",
                    ], isPossible: hasEmulator),
                Promise(
                    topic: "rtt",
                    figures: ["log through RTT while the core runs, a ring of 4 KiB"],
                    isPossible: OpenOCD.isInstalled),
                Promise(
                    topic: "usb",
                    figures: [
                        "bulk round trip of 64 bytes, in a guest",
                        "bulk stream from a gadget, in a guest",
                    ], isPossible: USBGuest.canRun),
                Promise(topic: "plugin", figures: ["swift package provision adds"]),
                Promise(
                    topic: "memory",
                    figures: ["peak memory, native", "peak memory, microbit-qemu"],
                    isPossible: hasEmulator),
            ]
        }

        @Test(
            .disabled(
                if: Executable.isSanitized, "a sanitizer's figures are none, and take half an hour"
            ))
        func everyTopicIsMeasured() throws {
            // The benchmark would build it, too, and wait for whoever does so already.
            _ = try Firmware.native()
            _ = try Firmware.microbit()
            let result = try Executable.withHome {
                try $0.run(Self.url, ["--quick", "--json"], within: 2400)
            }
            try #require(
                [0, 1].contains(result.status), "\(result.standardError)\n\(result.text)")
            let report = try JSONDecoder().decode(Report.self, from: result.standardOutput)
            #expect(report.failed.isEmpty)
            let measurements = report.topics.flatMap(\.measurements)
            for promise in Self.promises {
                let found = report.topics.first { $0.name == promise.topic }?.measurements ?? []
                for name in promise.figures where !found.contains(where: { $0.name == name }) {
                    let isExcused = report.skipped.contains { line in
                        [promise.topic, name].contains { line.hasPrefix("\($0): ") }
                    }
                    #expect(
                        !promise.isPossible && isExcused,
                        "\(name) is missing; skipped: \(report.skipped)")
                }
                for figure in found where promise.figures.contains(figure.name) {
                    #expect(figure.ratio != nil && figure.holds != nil, "\(figure.name)")
                }
            }
            // What this machine can, it has measured: only these are left out by `--quick`.
            let impossible = Self.promises.filter { !$0.isPossible }
            let excused =
                ["cold", "nrfcloud-utils"] + impossible.flatMap { [$0.topic] + $0.figures }
            for line in report.skipped {
                let name = excused.first { line.hasPrefix("\($0): ") }
                #expect(name.map { line.count > $0.count + 10 } ?? false, "skipped: \(line)")
            }
            for topic in report.topics where topic.measurements.isEmpty {
                #expect(report.skipped.contains { $0.hasPrefix(topic.name) }, "\(topic.name)")
            }
            for measurement in measurements {
                #expect(measurement.value.isFinite, "\(measurement)")
            }
            // Whatever is missed shows in the status.
            #expect((result.status == 1) == measurements.contains { $0.holds == false })
        }

        @Test func theReportTellsTheMachinesState() throws {
            try Executable.withHome { provision in
                let arguments = ["--quick", "--limits", "--topic", "platforms"]
                let table = try provision.run(Self.url, arguments)
                #expect(table.text.contains("\nmachine: "), "\(table.text)")
                let document = try provision.run(Self.url, arguments + ["--json"])
                let report = try JSONDecoder().decode(Report.self, from: document.standardOutput)
                #expect(report.processorCount > 0)
                #if os(Linux)
                    #expect(table.text.contains(" % of their time stolen"), "\(table.text)")
                    #expect((0...1).contains(try #require(report.stolenShare)))
                #endif
            }
        }

        @Test func anUnknownTopicIsWrongUsage() throws {
            let result = try Executable.withHome { try $0.run(Self.url, ["--topic", "mood"]) }
            #expect(result.status == 64)
            #expect(result.standardError.contains("\"mood\" is no topic; there are device"))
        }
    }
}
