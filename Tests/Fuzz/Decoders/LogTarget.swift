internal import Attestation
internal import CBOR
internal import Foundation

extension FuzzTarget {
    /// A device's log, with a report somewhere in it. The first octets choose which, and where.
    static let log = FuzzTarget("log") { input in
        var choice = FuzzInput(input)
        let (kind, position) = (Int(choice.byte()), choice.number())
        let noise = choice.remainder()
        let findings = scan(noise)
        for count in [1, 3, 1000] {
            try require(
                scan(noise, pieces: count) == findings, "pieces of \(count) give other findings")
        }
        // On a line of its own it is found, whatever is before and behind it.
        let cut = min(position, noise.count)
        let report = reports[kind % reports.count]
        let log = Array(noise[..<cut]) + [10] + report + [10] + Array(noise[cut...])
        try require(
            scan(log).contains { $0 == expected(report) }, "the report is lost in the noise")
        // At the end of a line too: what began before it is none.
        let line = noise.filter { $0 != 10 && $0 != 13 && $0 != 0x1b }
        try require(
            reportCount(scan(line + [0x20] + report + [10])) >= 1, "the report is lost on its line")
    }

    private static func scan(_ log: [UInt8], pieces count: Int = .max) -> [ReportScanner.Finding] {
        var scanner = ReportScanner()
        let pieces = count == .max ? [log[...]] : log.pieces(of: count)
        return pieces.flatMap { scanner.push($0) } + scanner.finish()
    }

    private static func expected(_ report: [UInt8]) -> ReportScanner.Finding? {
        scan(report).first
    }

    private static func reportCount(_ findings: [ReportScanner.Finding]) -> Int {
        findings.count { if case .report = $0 { true } else { false } }
    }

    /// Of each form one. The signed one's signature is not looked at here.
    private static let reports: [[UInt8]] = {
        let x = "b9943adbc95be73fd6db7b700a2f9b20b311ed0691317cb418da61e14e03db07"
        let octets = [UInt8](hexadecimal: ("a108a101a401020240200121" + "5820" + x).utf8) ?? []
        let decimal = octets.map { String($0) }.joined(separator: ", ")
        let digits = octets.map { [$0].hexadecimal }.joined(separator: ", ")
        return [
            "CoAP server identity: {8:{1:{1:2, 2:h'', -1:1, -2:h'\(x)'}}}",
            "CoAP server identity: [\(digits)]",
            "Device provisioned: board=b\tdevice_id=[1, 2]\tedhoc_kccs=[\(decimal)]",
            evidenceLine,
        ].map { Array($0.utf8) }
    }()

    private static let evidenceLine =
        "PROVISION-EVIDENCE-1 "
        + "0oRDoQEmoFjNqAihAaQBAiABIVggiio0n-N_5dUEgZKXlNzZBBnRoMZ8PilK0hTw7ZMd65QiWCDqkRQa"
        + "YwVI007NFEIFMXTv4t6AkLkH-Y754XIHFvGyXApYIKBh8WMfkT5a8Ey5aKXsGPRz4K_sRoAbJaz1b_sI"
        + "rc6PGQEAUQGj4xQv3nxrNxkQWyT7Gw2vGQEJeB10YWc6cHJvdmlzaW9uLDIwMjY6ZXZpZGVuY2UjMRkB"
        + "EwM6AAEAAEgcOyuqXX0dgjoAAQABZm5hdGl2ZToAAQACoFhAuzlIdZTJ2nRA-l80WXawX2NTULzhVnKw"
        + "mD-OZN1tZeE704QouUxxI2RlZbDC_nNlQUe3e64BT2sk7efZeSfPtg"
}
