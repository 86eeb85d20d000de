import Foundation
import Testing

/// Whether `provision-bench` measures what it says. How fast things are is not asked here: this
/// build is for debugging, and the machine has other things to do.
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
    }

    @Test(
        .disabled(
            if: Executable.isSanitized, "a sanitizer's figures are none, and take half an hour"))
    func everyTopicIsMeasured() throws {
        // The benchmark would build it, too, and wait for whoever does so already.
        _ = try Firmware.native()
        let result = try Executable.withHome {
            try $0.run(Self.url, ["--quick", "--json"], within: 1200)
        }
        try #require([0, 1].contains(result.status), "\(result.standardError)\n\(result.text)")
        let report = try JSONDecoder().decode(Report.self, from: result.standardOutput)
        #expect(report.failed.isEmpty)
        let measurements = report.topics.flatMap(\.measurements)
        for name in ["host time of a native device, all durable", "evidence appraised"] {
            let measurement = measurements.first { $0.name == name }
            #expect(measurement?.ratio != nil, "\(name)")
        }
        for topic in report.topics where topic.measurements.isEmpty {
            #expect(report.skipped.contains { $0.hasPrefix(topic.name) }, "\(topic.name) is empty")
        }
        for measurement in measurements {
            #expect(measurement.value.isFinite, "\(measurement)")
        }
        // Whatever is missed shows in the status.
        #expect((result.status == 1) == measurements.contains { $0.holds == false })
    }

    @Test func anUnknownTopicIsWrongUsage() throws {
        let result = try Executable.withHome { try $0.run(Self.url, ["--topic", "mood"]) }
        #expect(result.status == 64)
        #expect(result.standardError.contains("\"mood\" is no topic; there are device"))
    }
}
