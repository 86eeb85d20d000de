internal import OpenSSL

/// Two pieces of base64url that may be a COSE_Sign1 together.
struct TornMessage {
    private let (first, second): (ArraySlice<UInt8>, ArraySlice<UInt8>)

    init(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) {
        (self.first, self.second) = (first, second)
    }

    var digitCount: Int { first.count + second.count }

    /// Whether they are as long as the message's own heads say. A few octets are looked at, however long
    /// they are: who tries many ends of the first piece decodes one.
    var isWhole: Bool {
        // Tag 18 and an array of four, RFC 9052 §4.2; the unprotected header of a report is empty.
        guard digitCount <= ReportLine.maximumDigitCount, octet(at: 0) == 0xd2,
            octet(at: 1) == 0x84, let header = endOfBytes(at: 2), octet(at: header) == 0xa0,
            let payload = endOfBytes(at: header + 1), octet(at: payload) == 0x58,
            octet(at: payload + 1) == UInt8(ECDSASignature.rawLength)
        else { return false }
        // No other length: where the line broke in this head, another writer's digit would make it one.
        let length = payload + 2 + ECDSASignature.rawLength
        return digitCount == (length * 4 + 2) / 3
    }

    /// The signed report that they are.
    func report() -> DeviceReport? {
        guard let evidence = try? ReportLine.evidence(encodedIn: first + second) else { return nil }
        let report = DeviceReport.evidence(evidence)
        let anyone = ReportExpectation(board: nil, probedID: nil)
        return (try? Verifier.appraise(report: report, against: anyone)) == nil ? nil : report
    }

    /// Where the byte string ends whose head, RFC 8949 §3, is at `offset`.
    private func endOfBytes(at offset: Int) -> Int? {
        switch octet(at: offset) {
        case let head? where (0x40...0x57).contains(head): offset + 1 + Int(head & 0x1f)
        case 0x58: octet(at: offset + 1).map { offset + 2 + Int($0) }
        case 0x59:
            octet(at: offset + 1).flatMap { high in
                octet(at: offset + 2).map { offset + 3 + (Int(high) << 8 | Int($0)) }
            }
        // No report has 64 KiB.
        default: nil
        }
    }

    private func octet(at offset: Int) -> UInt8? {
        let start = offset * 8 / 6
        guard let high = sextet(at: start), let low = sextet(at: start + 1) else { return nil }
        // Three octets are four digits: of the first digit, the octet has 6, 4 or 2 bits.
        let shift = 4 - offset % 3 * 2
        return UInt8(truncatingIfNeeded: (UInt16(high) << 6 | UInt16(low)) >> UInt16(shift))
    }

    private func sextet(at offset: Int) -> UInt8? {
        let piece = offset < first.count ? first : second
        let index = offset < first.count ? offset : offset - first.count
        guard index < piece.count else { return nil }
        return ReportLine.sextet(piece[piece.startIndex + index])
    }
}
