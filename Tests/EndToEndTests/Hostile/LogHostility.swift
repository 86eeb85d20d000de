import Attestation
import BadLine
import CBOR
import COSE
import Foundation
import OpenSSL
import Provisioning
import ProvisioningTesting
import Testing

/// One way in which a log means harm, or is broken, and the code that the run must end with.
struct LogHostility: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: ErrorCode
    /// Of the run that reads it.
    let options: [String]
    /// Whether it takes all of the log to see it, and a pause in it hides the rest.
    let needsAll: Bool
    private let say: @Sendable (LogVictim) throws -> [UInt8]

    private init(
        _ name: String, _ code: ErrorCode, options: [String] = [], needsAll: Bool = false,
        _ say: @escaping @Sendable (LogVictim) throws -> [UInt8]
    ) {
        testDescription = name
        (self.code, self.options, self.needsAll, self.say) = (code, options, needsAll, say)
    }

    /// Octets of a log of `victim`, or of somebody who is not: to be said again and again.
    func log(_ victim: LogVictim) throws -> [UInt8] { try say(victim) }

    /// Octets that are no evidence, as a device reports it.
    private init(_ name: String, reported octets: [UInt8]) {
        self.init(name, .evidenceMalformed) { _ in
            let digits = Data(octets).base64EncodedString().replacing("+", with: "-")
                .replacing("/", with: "_").replacing("=", with: "")
            return Array("up\n\(ReportLine.marker)\(digits)\nidle\n".utf8)
        }
    }

    /// The victim's signed report, but for what `lie` changes.
    private init(
        lying name: String, _ code: ErrorCode, options: [String] = [],
        _ lie: @escaping @Sendable (SimulatedDevice, LogVictim) throws -> Void
    ) {
        self.init(name, code, options: options) { victim in
            let device = try victim.device()
            try lie(device, victim)
            return Array("boot\n[INFO ] \(try device.reportLine())\nup\n".utf8)
        }
    }
}

// MARK: - No report

extension LogHostility {
    static let noise = [
        LogHostility("silence", .reportMissing) { _ in [] },
        LogHostility("one line without end", .reportMissing) { _ in
            [UInt8](repeating: 0x41, count: 1 << 20)
        },
        LogHostility("noise", .reportMissing) { _ in
            var generator = SeededGenerator(seed: 7)
            return generator.bytes(1 << 16)
        },
        LogHostility("nothing but line ends", .reportMissing) { _ in
            [UInt8](repeating: 0x0a, count: 1 << 16)
        },
        LogHostility("control sequences", .reportMissing) { _ in
            Array("\u{1B}]0;owned\u{7}\u{1B}[2J\u{9b}31m\0\u{8}log\u{7f}\n".utf8)
                + [0xff, 0xc0, 0x80, 0x0a] + Array("\u{1B}]0;without end".utf8)
        },
        LogHostility("markers without end", .evidenceMalformed) { _ in
            Array(String(repeating: ReportLine.marker, count: 3000).utf8)
        },
        LogHostility("reports of three octets", .evidenceMalformed) { _ in
            Array(String(repeating: "\(ReportLine.marker)AAAA\n", count: 2000).utf8)
        },
        LogHostility("a report without end", .evidenceMalformed) { _ in
            Array((ReportLine.marker + String(repeating: "A", count: 200_000) + "\n").utf8)
        },
        LogHostility("a report that is cut", .evidenceMalformed) { victim in
            let line = try victim.device().reportLine()
            return Array("\(line.prefix(line.count / 2))\nup\n".utf8)
        },
        // An array, whose first item is a byte string of 4 GiB.
        LogHostility(
            "a length of 4 GiB", reported: [0xd2, 0x84, 0x5b, 0, 0, 0, 1, 0, 0, 0, 0, 0x41]),
        LogHostility("an array of 4 Gi items", reported: [0xd2, 0x9b, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        LogHostility(
            "deep nesting", reported: [0xd2] + [UInt8](repeating: 0x84, count: 4000)),
        LogHostility("deep nesting in a claims set", .evidenceMalformed) { _ in
            Array("CoAP server identity: \(String(repeating: "{8:", count: 1300))\n".utf8)
        },
        LogHostility("an octet of 4 Gi in a list", .evidenceMalformed) { _ in
            Array(
                "Device provisioned: board=testboard\tdevice_id=[4294967296]\tedhoc_kccs=[4294967297]\n"
                    .utf8)
        },
    ]
}

// MARK: - Whole reports

extension LogHostility {
    /// Well-formed, by somebody who is not whom they are about.
    static let reports = [
        LogHostility(lying: "another key's signature", .evidenceSignature) { device, _ in
            device.signer = try SigningKey.generate()
        },
        LogHostility(lying: "a changed octet", .evidenceSignature) { device, _ in
            device.evidence = { $0[$0.count - 1] ^= 1 }
        },
        LogHostility(lying: "another profile", .evidenceProfile) { device, _ in
            device.claims = { $0[265] = "tag:other,2026:evidence#1" }
        },
        LogHostility(lying: "another board", .idMismatch) { device, victim in
            device.identity = DeviceIdentity(board: "otherboard", id: victim.identity.id)
        },
        LogHostility(lying: "an escape sequence as board", .evidenceMalformed) { device, _ in
            device.claims = { $0[-65538] = "\u{1B}]0;owned\u{7}" }
        },
        LogHostility(
            lying: "another device than asked for", .idMismatch, options: ["--device", "0102"]
        ) { _, _ in },
        LogHostility(lying: "another device's ID", .replacementUnproven) { device, _ in
            device.keys = [1: try SigningKey.generate()]
        },
        LogHostility(lying: "another device's key", .keyShared) { device, _ in
            device.identity = try Victim().identity
        },
        LogHostility(lying: "the report of an earlier key", .keyRevoked) { device, victim in
            device.keys = [1: victim.earlier]
        },
        LogHostility("a signed key for each boot", .volatileKey, needsAll: true) { _ in
            let device = try SimulatedDevice()
            return try (0..<3).flatMap { _ in
                device.keys = [1: try SigningKey.generate()]
                return Array("boot\n\(try device.reportLine())\nup\n".utf8)
            }
        },
        LogHostility(lying: "a point that is not on the curve", .keyInvalid) { device, victim in
            let x = victim.key.publicKey[1...32]
            device.claims = { $0[8] = .map([1: COSEKey(p256: [4] + x + x)!.cbor]) }
        },
        LogHostility(lying: "a coordinate above the field", .keyInvalid) { device, _ in
            let point = [4] + [UInt8](repeating: 0xff, count: 64)
            device.claims = { $0[8] = .map([1: COSEKey(p256: point)!.cbor]) }
        },
    ]

    /// In Ariel OS's forms, which nobody signs.
    static let unsigned = [
        LogHostility("an unsigned report of another device's ID", .replacementUnproven) { victim in
            try claim(victim.identity.id)
        },
        LogHostility("an unsigned report of another device's key", .keyShared) { victim in
            try claim(stranger, victim.key)
        },
        LogHostility("an x that no point has", .keyInvalid) { _ in
            Array(
                ArielLog.provisioned(
                    board: "testboard", id: stranger.bytes, x: String(repeating: "f", count: 64)
                ).utf8)
        },
        LogHostility("a key of nobody", .idMissing) { _ in Array(ArielLog.identity.utf8) },
        LogHostility(
            "x alone where a certificate is wanted", .keyIncomplete,
            options: ["--credentials", "x509,cwt", "--output-credentials", "/nowhere/at/all"]
        ) { _ in try claim(stranger) },
        LogHostility("a key for each line", .volatileKey, needsAll: true) { _ in
            try (0..<70).flatMap { _ in try claim(stranger) }
        },
        LogHostility("a device for each line", .idMismatch, needsAll: true) { _ in
            try (0..<70).flatMap { try claim(DeviceID([7, $0])!) }
        },
    ]

    private static let stranger = DeviceID([1, 2, 3, 4])!

    private static func claim(_ id: DeviceID, _ key: SigningKey? = nil) throws -> [UInt8] {
        let x = try (key ?? SigningKey.generate()).publicKey[1...32]
        let digits = x.map { String(format: "%02x", $0) }.joined()
        return Array(ArielLog.provisioned(board: "testboard", id: id.bytes, x: digits).utf8)
    }
}

/// An honest device that reported two keys, the later of which is in force.
struct LogVictim: Sendable {
    private let victim: Victim
    /// Revoked.
    let earlier: SigningKey

    init() throws { (victim, earlier) = (try Victim(), try SigningKey.generate()) }

    var identity: DeviceIdentity { victim.identity }
    var key: SigningKey { victim.key }

    func device() throws -> SimulatedDevice { try victim.device() }

    /// What it prints when it starts.
    func log(_ key: SigningKey? = nil) throws -> [UInt8] {
        let device = try device()
        if let key { device.keys = [1: key] }
        return Array("boot\n\(try device.reportLine())\nup\n".utf8)
    }
}
