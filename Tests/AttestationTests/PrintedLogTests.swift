import Foundation
import Testing

@testable import Attestation

/// Reports in what flash tools print around a device's log: each file of `Logs` says whose form it is.
@Suite struct PrintedLogTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Logs")

    static let names: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).sorted()
    }()

    /// What the tool prints, with `line` where the device reports.
    private static func log(_ name: String, _ line: String) throws -> [UInt8] {
        let text = String(
            decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
        let start = try #require(text.range(of: "\n\n"))
        let header = text[..<start.lowerBound].split(separator: "\n")
        #expect(header.allSatisfy { $0.hasPrefix("# ") })
        #expect(header.contains { $0.contains("Form:") })
        let half = line.index(line.startIndex, offsetBy: line.count / 2)
        let log = text[start.upperBound...].replacing("{report}", with: line)
            .replacing("{report-begins}", with: line[..<half])
            .replacing("{report-ends}", with: line[half...])
        return Array(log.utf8)
    }

    @Test func thereAreSome() { #expect(Self.names.count >= 5) }

    @Test(arguments: names) func isFound(_ name: String) throws {
        let log = try Self.log(name, ReportLineTests.line)
        for count in [1, 7, 4096] {
            var scanner = ReportScanner()
            var rest = log[...]
            var findings: [ReportScanner.Finding] = []
            while !rest.isEmpty {
                findings += scanner.push(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            let reports = (findings + scanner.finish()).compactMap {
                if case .report(let report) = $0 { report } else { nil as DeviceReport? }
            }
            #expect(reports.count == 1, "\(name)")
            guard case .evidence(let evidence)? = reports.first else { continue }
            #expect(evidence.bytes == Vector.named("good").bytes)
        }
    }
}
