internal import CBOR

/// Finds reports in a device's log, whatever stands around them: colours, time stamps, levels, other
/// threads' text, NULs, octets that are no text, lines without end.
///
/// Chunk-blind: the findings do not depend on how the log is cut into pieces. Its memory is bounded.
/// Nothing that it finds is proven: that is the ``Verifier``'s part.
public struct ReportScanner: Sendable {
    public enum Finding: Hashable, Sendable {
        case report(DeviceReport)
        /// A marker, and no whole report behind it: cut, or broken by what another thread printed. Its rest
        /// may still come, see ``TornReport``, or the device's next repeat of it counts.
        case torn(EvidenceError)
    }

    /// Octets of a line that are looked at together: the longest report, its marker, and a prefix. Of a
    /// longer line, what stands before a marker is forgotten.
    public static let maximumLineLength = 8192
    /// How many of the last lines are kept for a message, and octets of each.
    private static let (keptLineCount, keptLineLength) = (6, 160)

    private let markers: [(format: ReportFormat, text: String, octets: [UInt8])]
    private let longestMarker: Int
    /// By octet: whether a marker begins with it. A log is mostly no marker.
    private let beginnings: [Bool]
    private var line: [UInt8] = []
    /// Whether the beginning of this line is forgotten.
    private var isContinued = false
    private var keptLines: [[UInt8]] = []
    /// The last one.
    private var tornReport: TornReport?
    /// Digits that were decoded to put torn reports together: the work that a log of beginnings can make.
    private(set) var tornDigitCount = 0
    /// Octets of the log so far.
    public private(set) var byteCount = 0

    /// - Parameter formats: what is looked for.
    public init(formats: Set<ReportFormat> = Set(ReportFormat.allCases)) {
        markers = ReportFormat.allCases.filter(formats.contains).flatMap { format in
            format.markers.map { (format, $0, Array($0.utf8)) }
        }
        longestMarker = markers.map(\.octets.count).max() ?? 0
        var beginnings = [Bool](repeating: false, count: 256)
        for marker in markers { beginnings[Int(marker.octets[0])] = true }
        self.beginnings = beginnings
        line.reserveCapacity(Self.maximumLineLength)
    }

    /// What was looked for, for a message: `"PROVISION-EVIDENCE-1"`, …
    public var wanted: [String] {
        markers.map { marker in
            marker.text.split(separator: " ", omittingEmptySubsequences: true)
                .joined(separator: " ").debugDescription
        }
    }

    /// The last lines that are not blank, printable, the latest last; also the one without an end.
    public var lastLines: [String] {
        (keptLines + [Array(line.prefix(Self.keptLineLength))]).map(Self.printable)
            .filter { !$0.isEmpty }.suffix(Self.keptLineCount)
    }

    public mutating func push(_ bytes: some Collection<UInt8>) -> [Finding] {
        var findings: [Finding] = []
        var rest = Array(bytes)[...]
        byteCount += rest.count
        while !rest.isEmpty {
            let room = Self.maximumLineLength - line.count
            let piece = rest.prefix(room)
            if let end = piece.firstIndex(where: Self.isLineEnd) {
                line += piece[..<end]
                rest = rest[(end + 1)...]
                endLine(&findings)
            } else {
                line += piece
                rest = rest.dropFirst(piece.count)
                if line.count == Self.maximumLineLength { slide(&findings) }
            }
        }
        return findings
    }

    /// The end of the log: its last line may have none.
    public mutating func finish() -> [Finding] {
        var findings: [Finding] = []
        endLine(&findings)
        return findings
    }

    private static func isLineEnd(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "\n") || octet == UInt8(ascii: "\r")
    }

    private mutating func endLine(_ findings: inout [Finding]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isContinued = false
        }
        guard !line.isEmpty else { return }
        if !isContinued { keep(line) }
        var found = examine(line[...])
        let plain = Self.withoutSequences(line)
        if found.report == nil, let plain {
            let again = examine(plain[...])
            found = (again.report, found.torn ?? again.torn)
        }
        report(found, &findings)
        guard !isContinued else { return }
        // One that is found may be torn all the same: up to its signature, it has the form of one without.
        let begins = found.torn != nil || found.report?.format == .provision
        mend(plain ?? line, begins: begins, &findings)
    }

    /// Begins a report that is torn, or ends one.
    private mutating func mend(_ line: [UInt8], begins: Bool, _ findings: inout [Finding]) {
        var rest = line[...]
        if begins, markers.contains(where: { $0.format == .provision }),
            let marker = line.firstRange(of: ReportLine.marker.utf8)
        {
            tornReport = TornReport(line[marker.upperBound...])
            // The same writer may have put all of its text between two digits.
            rest = line[marker.upperBound...].drop(while: ReportLine.isDigit)
        }
        for whole in tornReport?.wholes(withRestIn: rest) ?? [] {
            tornDigitCount += whole.digitCount
            guard let report = whole.report() else { continue }
            findings.append(.report(report))
            tornReport = nil
            break
        }
        if tornReport?.isHopeless == true { tornReport = nil }
    }

    private func report(
        _ found: (report: DeviceReport?, torn: EvidenceError?), _ findings: inout [Finding]
    ) {
        if let report = found.report {
            findings.append(.report(report))
        } else if let torn = found.torn {
            findings.append(.torn(torn))
        }
    }

    /// The first whole report in `line`, or why the first marker has none.
    private func examine(_ line: ArraySlice<UInt8>) -> (report: DeviceReport?, torn: EvidenceError?)
    {
        var torn: EvidenceError?
        var rest = line
        while let (start, marker) = firstMarker(in: rest) {
            do throws(EvidenceError) {
                if let report = try markers[marker].format.report(
                    markers[marker].text, in: rest[start...])
                {
                    return (report, nil)
                }
            } catch {
                torn = torn ?? error
            }
            rest = rest[(start + 1)...]
        }
        return (nil, torn)
    }

    /// One pass, whatever the number of markers, that ends at the first: a line may be nothing else.
    private func firstMarker(in text: ArraySlice<UInt8>) -> (start: Int, marker: Int)? {
        text.withUnsafeBufferPointer { octets in
            for start in octets.indices where beginnings[Int(octets[start])] {
                let rest = UnsafeBufferPointer(rebasing: octets[start...])
                if let marker = markers.firstIndex(where: { rest.starts(with: $0.octets) }) {
                    return (text.startIndex + start, marker)
                }
            }
            return nil
        }
    }

    /// Of a line that is too long: keeps what a report may begin with.
    private mutating func slide(_ findings: inout [Finding]) {
        if !isContinued { keep(line) }
        isContinued = true
        guard let (start, _) = firstMarker(in: line[...]) else {
            line.removeFirst(min(line.count, line.count - longestMarker + 1))
            return
        }
        guard start == 0 else {
            line.removeFirst(start)
            return
        }
        // No report is longer, so all of this one is here, if it is one; of the next one maybe not.
        let next = firstMarker(in: line[1...])?.start
        report(examine(line[..<(next ?? line.count)]), &findings)
        line.removeFirst(next ?? line.count - longestMarker + 1)
    }

    private mutating func keep(_ line: [UInt8]) {
        let kept = Array(line.prefix(Self.keptLineLength))
        // What it looks like is looked at when somebody wants to know.
        guard kept.contains(where: { $0 > 0x20 && $0 != 0x7f }) else { return }
        keptLines.append(kept)
        if keptLines.count > Self.keptLineCount { keptLines.removeFirst() }
    }

    /// One line for people: spaces for what is not printable.
    private static func printable(_ octets: [UInt8]) -> String {
        let plain = withoutSequences(octets) ?? octets
        let scalars = String(decoding: plain, as: UTF8.self).unicodeScalars
        return String(scalars.map { $0.isPrintable ? Character($0) : " " })
            .split(separator: " ").joined(separator: " ")
    }
}

// MARK: - Colours

extension ReportScanner {
    private static let escape: UInt8 = 0x1b

    /// The line without control sequences, ECMA-48 §5.4, operating system commands and control
    /// characters but the tab. Nil if there are none: the line is plain.
    private static func withoutSequences(_ line: [UInt8]) -> [UInt8]? {
        guard line.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") }) else { return nil }
        var plain: [UInt8] = []
        var rest = line[...]
        while let octet = rest.popFirst() {
            if octet == escape {
                rest = afterSequence(rest)
            } else if octet >= 0x20 || octet == UInt8(ascii: "\t") {
                plain.append(octet)
            }
        }
        return plain
    }

    /// What follows the sequence whose ESC was taken.
    private static func afterSequence(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        switch rest.first {
        case UInt8(ascii: "["):
            // Parameters and intermediates, then one final octet. What breaks off ate nothing else.
            let end = rest.dropFirst().drop { (0x20...0x3f).contains($0) }
            return end.first.map { (0x40...0x7e).contains($0) } == true ? end.dropFirst() : end
        case UInt8(ascii: "]"):
            // Up to BEL, or ESC \.
            guard let end = rest.firstIndex(where: { $0 == 0x07 || $0 == escape }) else {
                return rest.dropFirst()
            }
            let isLong = rest[end] == escape && rest[(end + 1)...].first == UInt8(ascii: "\\")
            return rest[(end + (isLong ? 2 : 1))...]
        case .some(0x40...0x5f): return rest.dropFirst()
        default: return rest
        }
    }
}
