import Testing

@testable import Attestation

/// Reports are found whatever noise is around, and never in noise.
@Suite struct ReportScannerTests {
    private typealias Finding = ReportScanner.Finding

    private static let whole = ReportLineTests.line

    private static func scan(
        _ log: [UInt8], pieces count: Int = .max,
        _ formats: Set<ReportFormat> = Set(ReportFormat.allCases)
    ) -> [Finding] {
        var scanner = ReportScanner(formats: formats)
        var findings: [Finding] = []
        var rest = log[...]
        while !rest.isEmpty {
            findings += scanner.push(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return findings + scanner.finish()
    }

    private static func scan(_ log: String) -> [Finding] { scan(Array(log.utf8)) }

    /// How many reports, and how many torn ones.
    private static func count(_ findings: [Finding]) -> (reports: Int, torn: Int) {
        let reports = findings.count { if case .report = $0 { true } else { false } }
        return (reports, findings.count - reports)
    }

    static let surroundings: [(name: String, before: [UInt8], after: [UInt8])] = [
        ("nothing", [], []),
        ("LF", Array("boot\n".utf8), Array("\nup 1 s\n".utf8)),
        ("CR", Array("boot\r".utf8), Array("\rup\r".utf8)),
        ("CRLF", Array("boot\r\n".utf8), Array("\r\nup\r\n".utf8)),
        ("colours", Array("\u{1b}[1;32m[INFO ]\u{1b}[0m ".utf8), Array("\u{1b}[0m\n".utf8)),
        ("a title", Array("\u{1b}]0;board\u{7}\u{1b}(B".utf8), Array("\u{1b}\\\n".utf8)),
        ("Zephyr", Array("[00:00:00.012,345] <inf> main: ".utf8), Array("\r\n".utf8)),
        ("defmt", Array("0.000123 [INFO ] ".utf8), Array(" (app src/main.rs:17)\n".utf8)),
        (
            "probe-rs", Array("12:33:07.123: [INFO ] ".utf8),
            Array("\n└─ app::main @ src/main.rs:17\n".utf8)
        ),
        ("ESP-IDF", Array("\u{1b}[0;32mI (312) main: ".utf8), Array("\u{1b}[0m\r\n".utf8)),
        ("NULs", [0, 0, 0], [0, 0, 10]),
        ("no text", [0xff, 0xfe, 0x80, 0xc3], [0xff, 0x80, 10]),
        ("a sequence that breaks off", Array("\u{1b}[12;".utf8), Array("\u{1b}[".utf8)),
        ("a sequence that would eat the marker", [0x1b, 0x5b], [10]),
        ("half a marker", Array("PROVISION-EVI".utf8), [10]),
        ("half a marker of another", Array("CoAP server id".utf8), [10]),
        ("a report that is cut", Array((whole.prefix(200) + "\n").utf8), [10]),
        ("a report that is cut on the line", Array((whole.prefix(200) + " ").utf8), [10]),
        ("a marker alone", Array("PROVISION-EVIDENCE-1 ".utf8), [10]),
        ("20 kB without an end", [UInt8](repeating: 0x41, count: 20_000), [10]),
        ("20 kB of noise without an end", noise(20_000), [10]),
        (
            "20 kB of markers without an end",
            (0..<1000).flatMap { _ in Array("PROVISION-EVIDENCE-1 ".utf8) }, [10]
        ),
        ("20 kB behind it", [], [0x20] + [UInt8](repeating: 0x41, count: 20_000)),
    ]

    /// Reproducible, and without line ends.
    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let octet = UInt8(truncatingIfNeeded: state >> 33)
            return [10, 13].contains(octet) ? 0x20 : octet
        }
    }

    @Test(arguments: surroundings.indices) func findsAReport(_ index: Int) {
        let (name, before, after) = Self.surroundings[index]
        let lines = [
            Self.whole, ArielLines.identity, ArielLines.identityInHexadecimal,
            ArielLines.provisioned,
        ]
        for line in lines {
            let log = before + Array(line.utf8) + after
            let findings = Self.scan(log)
            #expect(Self.count(findings).reports == 1, "\(name): \(line.prefix(40))")
            for count in [1, 2, 3, 7, 64, 1000] {
                #expect(Self.scan(log, pieces: count) == findings, "\(name), pieces of \(count)")
            }
        }
    }

    /// Sequences inside the marker, and inside the report.
    @Test func findsAReportThatIsColouredInside() {
        for line in [Self.whole, ArielLines.identity, ArielLines.provisioned] {
            var octets: [UInt8] = []
            for (index, octet) in line.utf8.enumerated() {
                if index.isMultiple(of: 13) { octets += Array("\u{1b}[38;5;208m".utf8) }
                if index.isMultiple(of: 17) { octets.append(0) }
                octets.append(octet)
            }
            #expect(Self.count(Self.scan(octets)).reports == 1)
        }
    }

    /// Another thread prints in the middle of each report but one: twice, so that its rest can't be told.
    @Test func theRepeatOfATornReportCounts() {
        let half = Self.whole.index(Self.whole.startIndex, offsetBy: Self.whole.count / 2)
        let later = Self.whole.index(half, offsetBy: 60)
        let torn =
            "\(Self.whole[..<half])[WARN] sensor is hot\n\(Self.whole[half..<later])"
            + "[WARN] sensor is hotter\n\(Self.whole[later...])\n"
        let log = String(repeating: torn, count: 5) + Self.whole + "\n" + torn
        #expect(Self.count(Self.scan(log)) == (1, 6))
    }

    @Test func onlyWhatIsLookedForIsFound() {
        let log = Array("\(Self.whole)\n\(ArielLines.identity)\n".utf8)
        for format in ReportFormat.allCases {
            guard case .report(let report)? = Self.scan(log, [format]).first else {
                Issue.record("no report of \(format)")
                continue
            }
            #expect(report.format == format)
            #expect(Self.scan(log, [format]).count == 1)
        }
        #expect(Self.scan(log, []).isEmpty)
    }

    @Test func neverFoundInNoise() {
        #expect(Self.scan(Self.noise(1 << 20)).isEmpty)
        let words = [
            "PROVISION", "-EVIDENCE-1", " ", "CoAP server identity:", "{8:{1:", "}", "[a1,", "\n",
        ]
        var state: UInt64 = 7
        var log = ""
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            log += words[Int(state >> 40) % words.count]
        }
        #expect(Self.count(Self.scan(log)).reports == 0)
    }

    /// No line end in 64 MB, and hardly any memory for it.
    @Test func anEndlessLineIsBounded() {
        var scanner = ReportScanner()
        let piece = [UInt8](repeating: 0x41, count: 1 << 20)
        for _ in 0..<64 { #expect(scanner.push(piece).isEmpty) }
        #expect(scanner.byteCount == 64 << 20)
        #expect(scanner.lastLines.joined().utf8.count < 4096)
        #expect(Self.count(scanner.push(Array(Self.whole.utf8)) + scanner.finish()).reports == 1)
    }

    /// The work for each octet is bounded: a scanner that looks at all of a line for each marker in it
    /// takes minutes for this.
    @Test(arguments: ReportFormat.allCases.flatMap(\.markers))
    func aLineOfMarkersIsBounded(_ marker: String) {
        var scanner = ReportScanner()
        let piece = [UInt8]((0..<5000).flatMap { _ in Array(marker.utf8) })
        for _ in 0..<5 { _ = scanner.push(piece) }
        let ends = [UInt8]((0..<400).flatMap { _ in Array(marker.utf8) } + [0x0a])
        for _ in 0..<20 { _ = scanner.push(ends) }
        #expect(Self.count(scanner.push(Array(Self.whole.utf8)) + scanner.finish()).reports == 1)
    }

    @Test func tellsWhatItSawLast() {
        var scanner = ReportScanner()
        _ = scanner.push(Array("one\n\n\u{1b}[31mtwo\u{1b}[0m\r\n \u{7}\nth\u{9b}ree\nfo".utf8))
        #expect(scanner.lastLines.first == "one")
        #expect(scanner.lastLines[1] == "two")
        #expect(scanner.lastLines.last == "fo")
        _ = scanner.push(Array((1...100).map { "line \($0)\n" }.joined().utf8))
        #expect(scanner.lastLines.last == "line 100")
        #expect(scanner.lastLines.count <= 6)
        #expect(scanner.wanted.contains("\"PROVISION-EVIDENCE-1\""))
    }

    /// A changed octet never gives another report of this project's form that would pass.
    @Test func aDamagedReportDoesNotPass() throws {
        let good = Array(Self.whole.utf8)
        let expectation = ReportExpectation(board: nil, probedID: nil)
        let expected = try Verifier.appraise(report: Run.evidence(), against: expectation)
        for index in stride(from: ReportLine.marker.utf8.count, to: good.count, by: 7) {
            var damaged = good
            damaged[index] = damaged[index] == 0x41 ? 0x42 : 0x41
            for case .report(let report) in Self.scan(damaged) {
                let result = try? Verifier.appraise(report: report, against: expectation)
                #expect(result == nil || result == expected, "octet \(index)")
            }
        }
    }
}
