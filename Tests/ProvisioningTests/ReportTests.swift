import Attestation
import CBOR
import COSE
import Issuance
import OpenSSL
import Provisioning
import ProvisioningTesting
import Registry
import Testing

/// Devices that only print a line with their key.
struct ReportTests {
    let bench: Bench
    let device: SimulatedDevice

    init() throws {
        bench = try Bench()
        device = try SimulatedDevice()
        bench.plan.credentials = []
        bench.plan.board = device.identity.board
        bench.plan.deadlines.report = .milliseconds(200)
    }

    /// Ariel OS's form: nobody signs it.
    private func claims(
        _ key: [UInt8], of device: SimulatedDevice? = nil, hasID: Bool = true
    ) -> String {
        let identity = (device ?? self.device).identity
        let x = Array(key[1...32])
        let parameters: CBORMap = [1: 2, -1: 1, -2: .bytes(x)]
        let list = CBORValue.map([8: [1: .map(parameters)]]).encoded()
        guard hasID else {
            return "CoAP server identity: {8:{1:{1:2, -1:1, -2:h'\(x.hexadecimal)'}}}\n"
        }
        return "Device provisioned: board=\(identity.board)\tdevice_id=\(identity.id.bytes)\t"
            + "edhoc_kccs=\(list)\n"
    }

    private var publicKey: [UInt8] { device.keys[1]!.publicKey }

    @Test func aSignedReportIsRegisteredAndActive() throws {
        let log = TextLog(["boot\n[INFO] \(try device.reportLine())\r\nup"])
        let outcome = try bench.report(log)
        #expect(outcome.format == .provision)
        #expect(outcome.credentials.isEmpty)
        #expect(outcome.warnings.isEmpty)
        #expect(outcome.log === log && !log.isClosed)
        let key = try #require(try bench.key(device.thumbprint))
        #expect(key.state == .active)
        #expect(key.isPossessionProven)
        #expect(key.confirmationDigest == key.evidenceDigest)
        #expect(bench.log.steps == [.evidence, .appraise, .register])
        #expect(device.requests.isEmpty)
        #expect(try bench.isIntact)
        // The same again changes nothing.
        let events = try bench.eventCount
        let again = try bench.report(
            TextLog(["\(try device.reportLine(seed: [7, 7, 7, 7, 7, 7, 7, 7]))\n"]))
        #expect(!again.registration.record.isNew)
        #expect(try bench.eventCount == events)
    }

    @Test func anUnsignedReportIsRegisteredAsSuch() throws {
        let outcome = try bench.report(TextLog([claims(publicKey)]))
        #expect(outcome.format == .ariel)
        let key = try #require(try bench.key(outcome.registration.thumbprint))
        #expect(!key.isPossessionProven)
        #expect(key.state == .active)
        #expect(key.publicKey == Array(publicKey[1...32]))
        let text = try #require(try bench.registry.document(key.evidenceDigest))
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("Device provisioned: "))
        #expect(bench.log.summaries[.appraise]?.contains("not proven") == true)
    }

    /// The same key, once with a signature and the whole point: one key for the registry.
    @Test func aSignedReportOfTheSameKeyChangesNothing() throws {
        let first = try bench.report(TextLog([claims(publicKey)]))
        let second = try bench.report(TextLog([try device.reportLine() + "\n"]))
        #expect(!second.registration.record.isNew)
        #expect(second.registration.thumbprint == first.registration.thumbprint)
    }

    /// With the whole point, a device that was only heard gets what needs y, under the key's first name.
    @Test func aDeviceThatIsAskedLaterIsTheSame() throws {
        let heard = try bench.report(TextLog([claims(publicKey)]))
        bench.plan.credentials = [.x509Chain, .cwt]
        let asked = try bench.run(device)
        #expect(!asked.registration.record.isNew)
        #expect(asked.registration.thumbprint == heard.registration.thumbprint)
        #expect(
            try Set(bench.registry.credentialsInForce(for: heard.registration.thumbprint))
                == Set(asked.credentials))
        #expect(asked.credentials.count == 2)
        #expect(try bench.key(device.thumbprint) == nil)
        #expect(try bench.isIntact)
    }

    @Test func theSignedReportCountsWhereThereAreBoth() throws {
        let other = try SigningKey.generate()
        let log =
            claims(other.publicKey) + (try device.reportLine()) + "\n" + claims(other.publicKey)
        let outcome = try bench.report(TextLog([log]))
        #expect(outcome.registration.thumbprint == device.thumbprint)
        #expect(outcome.format == .provision)
    }

    /// More keys than are remembered: it is the oldest that is forgotten.
    @Test func theLastOfSeventyKeysCounts() throws {
        bench.plan.replacesKey = true
        let keys = try (0..<70).map { _ in try SigningKey.generate().publicKey }
        let outcome = try bench.report(TextLog(keys.map { claims($0) }, isFile: true))
        #expect(outcome.registration.publicKey == Array(try #require(keys.last)[1...32]))
    }

    @Test func noNumberOfUnsignedReportsHidesASignedOne() throws {
        bench.plan.replacesKey = true
        let noise = try (0..<70).map { _ in claims(try SigningKey.generate().publicKey) }
        let signed = try device.reportLine() + "\n"
        for log in [noise + [signed], [signed] + noise, noise + [signed] + noise] {
            let outcome = try bench.report(TextLog(log, isFile: true))
            #expect(outcome.format == .provision)
            #expect(outcome.registration.thumbprint == device.thumbprint)
        }
    }

    @Test func noNumberOfKeysHidesAnotherDevice() throws {
        bench.plan.replacesKey = true
        let other = claims(publicKey, of: try SimulatedDevice("00ff00ff00ff00ff"))
        let keys = try (0..<70).map { _ in claims(try SigningKey.generate().publicKey) }
        for log in [[other] + keys, keys + [other]] {
            let error = failure { try bench.report(TextLog(log, isFile: true)) }
            #expect(error?.code == .idMismatch)
        }
        #expect(try bench.eventCount == 0)
    }

    @Test func theProbeNamesWhatTheLineDoesNot() throws {
        let line = claims(publicKey, hasID: false)
        let error = failure { try bench.report(TextLog([line])) }
        #expect(error?.code == .idMissing)
        #expect(try bench.eventCount == 0)
        bench.probe = TestProbe(id: device.identity.id)
        let outcome = try bench.report(TextLog([line]))
        #expect(outcome.registration.identity == device.identity)
        #expect(outcome.registration.attestation.isProbeBound)
    }

    @Test(arguments: [true, false]) func anotherIDThanTheProbesIsRefused(_ isSigned: Bool) throws {
        let probed = DeviceID([1, 2])!
        bench.probe = TestProbe(id: probed)
        let line = isSigned ? try device.reportLine() + "\n" : claims(publicKey)
        let error = failure { try bench.report(TextLog([line])) }
        #expect(error?.code == .idMismatch)
        #expect(error?.reason.contains("\(probed)") == true)
        #expect(error?.reason.contains("\(device.identity.id)") == true)
        #expect(try bench.eventCount == 0)
    }

    /// Promise 2: a log line alone revokes nothing.
    @Test(arguments: ReplacementGround.allCases)
    func onlyAReasonReplacesAKey(_ ground: ReplacementGround) throws {
        let earlier = device.thumbprint
        _ = try bench.report(TextLog([try device.reportLine() + "\n"]))
        device.keys[1] = try SigningKey.generate()
        for line in [try device.reportLine() + "\n", claims(publicKey)] {
            #expect(failure { try bench.report(TextLog([line])) }?.code == .replacementUnproven)
        }
        #expect(try bench.key(earlier)?.state == .active)
        switch ground {
        case .flashed: bench.flashing()
        case .probeRead: bench.probe = TestProbe(id: device.identity.id)
        default: bench.plan.replacesKey = true
        }
        let outcome = try bench.report(TextLog([claims(publicKey)]))
        #expect(outcome.registration.record.superseded == [earlier])
        #expect(try bench.key(earlier)?.state == .revoked)
    }

    @Test func aReportOfARevokedKeyIsRefused() throws {
        let old = try device.reportLine() + "\n"
        _ = try bench.report(TextLog([old]))
        device.keys[1] = try SigningKey.generate()
        bench.flashing()
        _ = try bench.report(TextLog([try device.reportLine() + "\n"]))
        #expect(failure { try bench.report(TextLog([old])) }?.code == .keyRevoked)
    }

    @Test func twoBoardsOnOneLogAreNamed() throws {
        let other = try SimulatedDevice("00ff00ff00ff00ff")
        let log = try device.reportLine() + "\n" + other.reportLine() + "\n"
        let error = failure { try bench.report(TextLog([log])) }
        #expect(error?.code == .idMismatch)
        #expect(error?.reason.contains("\(device.identity)") == true)
        #expect(error?.reason.contains("\(other.identity)") == true)
        #expect(try bench.eventCount == 0)
        bench.plan.device = other.identity.id
        let outcome = try bench.report(TextLog([log]))
        #expect(outcome.registration.identity == other.identity)
        // The probe chooses, too.
        bench.plan.device = nil
        bench.probe = TestProbe(id: device.identity.id)
        #expect(try bench.report(TextLog([log])).registration.identity == device.identity)
    }

    @Test(arguments: [true, false]) func aKeyThatChangesInOneLogIsVolatile(_ isSigned: Bool) throws
    {
        func line() throws -> String {
            isSigned ? try device.reportLine() + "\n" : claims(publicKey)
        }
        let first = try line()
        device.keys[1] = try SigningKey.generate()
        let log = first + "rebooting\n" + (try line())
        let error = failure { try bench.report(TextLog([log])) }
        #expect(error?.code == .volatileKey)
        #expect(error?.hint != nil)
        #expect(try bench.eventCount == 0, "nothing is registered")
        bench.plan.replacesKey = true
        let outcome = try bench.report(TextLog([log]))
        #expect(outcome.registration.publicKey.suffix(64).prefix(32) == publicKey[1...32])
    }

    /// Another key after each flashing of the same image: said at the third, refused at the ninth.
    @Test func aKeyThatChangesFromRunToRunIsVolatile() throws {
        bench.flashing()
        for count in 1...8 {
            let outcome = try bench.report(TextLog([try device.reportLine() + "\n"]))
            #expect(outcome.warnings.map(\.code) == (count >= 3 ? [.volatileKey] : []), "\(count)")
            device.keys[1] = try SigningKey.generate()
        }
        let events = try bench.eventCount
        let line = try device.reportLine() + "\n"
        let error = failure { try bench.report(TextLog([line])) }
        #expect(error?.code == .volatileKey)
        #expect(try bench.eventCount == events, "the registry stays as it is")
        bench.plan.replacesKey = true
        #expect(try bench.report(TextLog([line])).registration.record.isNew)
    }

    /// A board that is erased on purpose gets as many keys as it likes.
    @Test func erasingIsNoVolatileKey() throws {
        bench.flashing(erasing: true)
        for _ in 1...10 {
            let outcome = try bench.report(TextLog([try device.reportLine() + "\n"]))
            #expect(outcome.warnings.isEmpty)
            device.keys[1] = try SigningKey.generate()
        }
    }

    @Test func theLogIsWatchedOn() throws {
        let log = TextLog([try device.reportLine() + "\n"], ends: false)
        let outcome = try bench.report(log)
        #expect(outcome.log === log && !log.isClosed)
        var watch = outcome.watch
        #expect(
            watch.push(Array((try device.reportLine(seed: [8, 8, 8, 8, 8, 8, 8, 8]) + "\n").utf8))
                == nil)
        let other = try SimulatedDevice("00ff00ff00ff00ff")
        #expect(watch.push(Array((try other.reportLine() + "\n").utf8)) == nil)
        device.keys[1] = try SigningKey.generate()
        let line = Array((try device.reportLine() + "\n").utf8)
        #expect(watch.push(line)?.code == .volatileKey)
        #expect(watch.push(line) == nil, "once is enough")
    }

    @Test func aTornReportIsSaidAndItsRepeatCounts() throws {
        let line = try device.reportLine()
        let log = TextLog(["\(line.prefix(100))[WARN] hot\n\(line.dropFirst(100))\n", "\(line)\n"])
        _ = try bench.report(log)
        #expect(bench.log.remarks.contains { $0.hasPrefix("a report is torn") })
    }

    @Test func noReportIsAnErrorThatShowsTheLastLines() throws {
        for ends in [true, false] {
            let error = failure {
                try bench.report(TextLog(["booting\n", "sensor is hot\n"], ends: ends))
            }
            #expect(error?.code == .reportMissing)
            for word in ["booting", "sensor is hot", "PROVISION-EVIDENCE-1", "22 bytes"] {
                #expect(error?.reason.contains(word) == true, "\(error?.reason ?? "")")
            }
        }
        #expect(failure { try bench.report(TextLog([], ends: false)) }?.code == .reportMissing)
    }

    /// What was wrong with the only report is what the user wants to know.
    @Test func aBrokenReportIsAnErrorOfItsOwn() throws {
        let line = try device.reportLine()
        let torn = failure { try bench.report(TextLog(["\(line.dropLast(9))\n"])) }
        #expect(torn?.code == .evidenceMalformed)
        device.signer = try SigningKey.generate()
        let forged = try device.reportLine()
        #expect(failure { try bench.report(TextLog(["\(forged)\n"])) }?.code == .evidenceSignature)
        #expect(failure { try bench.report(TextLog([], ends: false)) }?.code == .reportMissing)
        #expect(try bench.eventCount == 0)
    }

    /// Octets without end, and no report among them.
    @Test func anEndlessLogIsGivenUp() throws {
        let log = TextLog(
            Array(repeating: String(repeating: "x", count: 4096), count: 100_000), ends: false)
        let error = failure { try bench.report(log) }
        #expect(error?.code == .reportMissing)
    }

    /// Where the time is over is chance: it does not choose the reason.
    @Test func aReportThatIsCutHidesNoReason() throws {
        let whole = try device.reportLine() + "\n"
        device.signer = try SigningKey.generate()
        let forged = try device.reportLine() + "\n"
        device.signer = nil
        device.claims = { $0[265] = "tag:other,2026:evidence#1" }
        let foreign = try device.reportLine() + "\n"
        for cut in [String(whole.prefix(whole.count / 2)), String(forged.prefix(100))] {
            for (line, code) in [
                (forged, ErrorCode.evidenceSignature), (foreign, .evidenceProfile),
            ] {
                for log in [[line, cut], [cut + "\n", line, cut]] {
                    #expect(failure { try bench.report(TextLog(log)) }?.code == code)
                }
            }
            #expect(failure { try bench.report(TextLog([cut])) }?.code == .evidenceMalformed)
        }
        #expect(try bench.eventCount == 0)
    }

    @Test func aMarkerFloodIsGivenUpAndSaidBriefly() throws {
        let flood = String(repeating: "PROVISION-EVIDENCE-1 AAAA\n", count: 5000)
        let error = failure { try bench.report(TextLog([flood, flood])) }
        #expect(error?.code == .evidenceMalformed)
        #expect(bench.log.remarks.count <= 20)
    }

    @Test func xAloneGetsACWTAndNoCertificate() throws {
        bench.plan.credentials = [.x509Chain, .cwt]
        let refused = failure { try bench.report(TextLog([claims(publicKey)])) }
        #expect(refused?.code == .keyIncomplete)
        #expect(refused?.hint?.contains("cwt") == true)
        #expect(try bench.eventCount == 0)
        bench.plan.credentials = [.cwt]
        let outcome = try bench.report(TextLog([claims(publicKey)]))
        let token = try #require(outcome.credentials.first)
        let message = try COSESign1.decode(token.bytes, tag: .required)
        let parts = try #require(try CBORValue.decode(message.payload).map)
        #expect(
            parts[8]?.map?[1] == [1: 2, -1: 1, -2: .bytes(Array(publicKey[1...32]))])
        #expect(
            try bench.registry.credentialsInForce(for: outcome.registration.thumbprint) == [token])
        // The same again: the token is still good.
        #expect(try bench.report(TextLog([claims(publicKey)])).credentials == [token])
    }

    @Test func aWholeKeyGetsACertificateToo() throws {
        bench.plan.credentials = [.x509Chain]
        let outcome = try bench.report(TextLog([try device.reportLine() + "\n"]))
        #expect(outcome.credentials.map(\.type) == [.x509Chain])
    }

    @Test func theBoardMustBeThePlatforms() throws {
        bench.plan.board = "other"
        let error = failure { try bench.report(TextLog([try device.reportLine() + "\n"])) }
        #expect(error?.code == .idMismatch)
    }
}

extension Bench {
    @discardableResult
    func report(_ log: TextLog) throws(ProvisioningError) -> ReportOutcome {
        let now = now
        return try Provisioner(
            plan: plan, flasher: flasher, probe: probe,
            openChannel: { () throws(ProvisioningError) in log }, registry: registry,
            issuer: authority,
            surroundings: Surroundings(
                now: { now },
                randomBytes: { (count) throws(ProvisioningError) in
                    (0..<count).map { _ in UInt8.random(in: .min ... .max) }
                }),
            observer: self.log
        ).registerReport()
    }
}
