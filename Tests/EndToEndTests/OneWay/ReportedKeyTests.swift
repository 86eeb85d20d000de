import Foundation
import Testing

/// What the registry makes of keys that are read off a log.
@Suite struct ReportedKeyTests {
    @Test func arielsLineIsRecordedAsUnproven() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file(
                "ariel.log", ArielLog.provisioned(board: "native", id: [1, 2, 3, 255]))
            let report = try desk.json(["enroll", "--platform", "native", "--log", log])
            #expect(report["device"] as? String == "010203ff")
            #expect(report["report"] as? String == "ariel")
            #expect(report["isPossessionProven"] as? Bool == false)
            let keys = try desk.provision("keys", "--json").json()["keys"] as? [[String: Any]]
            #expect(keys?.first?["isPossessionProven"] as? Bool == false)
            #expect(keys?.first?["publicKey"] as? String == ArielLog.x)
            #expect(keys?.first?["state"] as? String == "active")
            let text = try desk.run(["enroll", "--platform", "native", "--log", log]).text
            #expect(text.contains("nobody signed the report"))
            let set = desk.provision.home.appending(path: "keys.cbor")
            #expect(
                try desk.provision("export", "--format", "keyset", "--output", set.path).status == 0
            )
            #expect(try Data(contentsOf: set).count > 32)
            #expect(try desk.provision("registry", "verify").status == 0)
        }
    }

    /// Its line of today names no device: the probe does.
    @Test func theProbeNamesArielsDevice() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file("ariel.log", ArielLog.identity)
            let nobody = try desk.run(["enroll", "--platform", "native", "--log", log])
            nobody.expectError("id-missing", status: 7, "names no device")
            let report = try desk.json(["enroll", "--platform", "microbit-qemu", "--log", log])
            #expect(report["board"] as? String == "microbit")
            #expect(report["isIDReadByProbe"] as? Bool == true)
            // Another device with the same key.
            let clone = try desk.run([
                "enroll", "--platform", "microbit-qemu", "--instance", "other", "--log", log,
            ])
            clone.expectError("key-shared", status: 8, report["device"] as? String ?? "missing")
            // The line says one ID, the probe another.
            let other = try desk.file(
                "other.log", ArielLog.provisioned(board: "microbit", id: [1, 2]))
            let mismatch = try desk.run(["enroll", "--platform", "microbit-qemu", "--log", other])
            mismatch.expectError("id-mismatch", status: 7, "0102")
        }
    }

    @Test func xAloneGetsACWTInAFileAndNoCertificate() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file(
                "ariel.log", ArielLog.provisioned(board: "native", id: [1, 2, 3, 255]))
            let folder = desk.provision.home.path + "/for/the server"
            let arguments = [
                "enroll", "--platform", "native", "--log", log, "--output-credentials", folder,
            ]
            let refused = try desk.run(arguments + ["--credentials", "x509,cwt"])
            refused.expectError("key-incomplete", status: 9, "needs y")
            #expect(try desk.provision.keys().isEmpty)
            let report = try desk.json(arguments + ["--credentials", "cwt"])
            #expect((report["credentials"] as? [[String: Any]])?.first?["type"] as? String == "cwt")
            let token = try Data(contentsOf: URL(filePath: folder + "/010203ff.cwt"))
            // cnf: {1: {1: 2, -1: 1, -2: x}}, as reported.
            let key = "08a101a301022001215820" + ArielLog.x
            #expect(token.map { String(format: "%02x", $0) }.joined().contains(key))
            let whole = try desk.bootLog()
            let second = try desk.json(
                [
                    "enroll", "--platform", "native", "--log", "-", "--output-credentials", folder,
                    "--credentials", "x509,cwt",
                ], input: whole)
            let id = try #require(second["device"] as? String)
            let pem = try String(contentsOfFile: "\(folder)/\(id).pem", encoding: .utf8)
            #expect(pem.hasPrefix("-----BEGIN CERTIFICATE-----"))
        }
    }

    @Test func aLogAloneRevokesNothing() throws {
        try OneWayDesk.with { desk in
            let old = try desk.bootLog()
            let enroll = ["enroll", "--platform", "native", "--log", "-"]
            let first = try desk.json(enroll, input: old)
            let new = try desk.bootLog(erasing: true)
            try desk.run(enroll, input: new).expectError("replacement-unproven", status: 8)
            let second = try desk.json(enroll + ["--replace-key"], input: new)
            #expect(second["superseded"] as? [String] == [first["thumbprint"] as? String ?? ""])
            // An earlier boot's report, played again.
            try desk.run(enroll, input: old).expectError("key-revoked", status: 8, "superseded")
        }
    }

    @Test func twoBoardsOnOneLogAreNamed() throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog("one") + desk.bootLog("two")
            let enroll = ["enroll", "--platform", "native", "--log", "-"]
            let both = try desk.run(enroll, input: log)
            both.expectError("id-mismatch", status: 7, "2 devices report on this log")
            #expect(try desk.provision.keys().isEmpty)
            let one = try desk.json(enroll, input: try desk.bootLog("one"))
            let id = try #require(one["device"] as? String)
            let chosen = try desk.json(enroll + ["--device", id], input: log)
            #expect(chosen["isNewKey"] as? Bool == false)
        }
    }

    @Test func aKeyOfEachBootIsNamed() throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog() + desk.bootLog(erasing: true)
            let enroll = ["enroll", "--platform", "native", "--log", "-"]
            try desk.run(enroll, input: log).expectError("volatile-key", status: 7, "after")
            #expect(try desk.provision.keys().isEmpty)
            // From run to run, each of which flashes the same image.
            let run =
                ["run", "--firmware", try Firmware.native(), "--detach"]
                + (try desk.reporting("PROVISION_NATIVE_ERASE=1"))
            for count in 1...3 {
                let result = try desk.run(run + ["--json"])
                #expect(result.status == 0, "\(result.standardError)")
                let isWarned = result.standardError.contains("warning[volatile-key]")
                #expect(isWarned == (count == 3), "\(count): \(result.standardError)")
                #expect(
                    try result.json()["warnings"] as? [String]
                        == (count == 3 ? ["volatile-key"] : []))
            }
        }
    }

    /// What comes from strangers: without end, without lines, with too many markers.
    @Test func hostileLogsAreBounded() throws {
        try OneWayDesk.with { desk in
            let endless = try desk.run(["enroll", "--platform", "native", "--log", "/dev/zero"])
            endless.expectError("report-missing", status: 5, "/dev/zero")
            #expect(
                (endless.peakMemory ?? 0) < (Executable.isSanitized ? 300_000 : 150_000), "KiB")
            let flood = String(repeating: "PROVISION-EVIDENCE-1 AAAA\n", count: 20_000)
            let torn = try desk.run(
                ["enroll", "--platform", "native", "--log", "-", "-v"], input: flood)
            torn.expectError("evidence-malformed", status: 7)
            #expect(torn.standardError.components(separatedBy: "a report is torn").count <= 20)
            // And the report behind all of it is found.
            let found = try desk.json(
                ["enroll", "--platform", "native", "--log", "-"],
                input: flood + String(repeating: "x", count: 1 << 20) + desk.bootLog())
            #expect(found["isNewKey"] as? Bool == true)
            // Control characters of a device are no control of the user's terminal.
            let escape = try desk.run(
                ["enroll", "--platform", "native", "--log", "-"],
                input: "\u{1b}]0;owned\u{7}\u{1b}[2Jhello\n")
            #expect(!escape.standardError.contains("\u{1b}"))
            #expect(!escape.standardError.contains("\u{7}"))
        }
    }
}
