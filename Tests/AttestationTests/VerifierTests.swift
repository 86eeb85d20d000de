import Attestation
import COSE
import OpenSSL
import Testing

struct VerifierTests {
    @Test func evidenceSaysWhatTheDeviceSays() throws {
        let evidence = try Run.evidence()
        #expect(evidence.bytes == Vector.named("good").bytes)
        #expect(evidence.nonce == Run.nonce)
        #expect(evidence.identity == Run.expectation.identity)
        #expect(evidence.algorithm == .es256)
        #expect(evidence.key.publicKey == Run.publicKey)
        #expect(evidence.ueid == hex("013213acb86d4f5000c1046aa1b237b92a"))
        #expect(
            evidence.storedCredentials
                == [2: hex("14354ab0d8ffca9dbfe336cea15695991d9d852451bd52782c023ae15b9552ba")])
        #expect(evidence.signedBytes.starts(with: hex("846a5369676e61747572653143a10126")))
    }

    @Test func aResultSaysWhatWasEstablished() throws {
        let evidence = try Run.evidence()
        let result = try Verifier.appraise(evidence, against: Run.expectation)
        #expect(result.identity == Run.expectation.identity)
        #expect(result.publicKey == Run.publicKey)
        #expect(result.algorithm == .es256)
        #expect(result.thumbprint == COSEKey(p256: Run.publicKey)?.thumbprint)
        #expect(result.storedCredentials == evidence.storedCredentials)
        #expect(result.evidence == evidence.bytes)
        #expect(result.nonce == Run.nonce)
        #expect(result.basis == .physicalPresence)
        #expect(result.isProbeBound)
        #expect(result.isFresh)
    }

    /// Whatever the device says that its key is for, its evidence must show.
    @Test(arguments: [-9, -8, -35, 0, -65535, .min] as [Int64])
    func theAlgorithmIsTheAnnouncedOne(_ announced: Int64) throws {
        var expectation = Run.expectation
        expectation.algorithm = COSEAlgorithm(rawValue: announced)
        let error = #expect(throws: AppraisalError.self) {
            _ = try Verifier.appraise(Run.evidence(), against: expectation)
        }
        #expect(
            error
                == .algorithmMismatch(announced: expectation.algorithm, claimed: .es256))
        #expect(error?.code == .keyMismatch)
    }

    @Test func theUEIDIsDerived() {
        #expect(UEID.derive(board: "microbit", id: Run.id).count == UEID.length)
        #expect(
            UEID.derive(board: "microbit", id: Run.id)
                == [0x01] + SHA256.hash(Array("microbit\0".utf8) + Run.id.bytes).prefix(16))
        #expect(
            UEID.derive(board: "microbit", id: Run.id)
                != UEID.derive(board: "microbit", id: Run.otherID))
    }

    @Test func withoutAProbeTheResultSaysSo() throws {
        var expectation = Run.expectation
        expectation.probedID = nil
        let result = try Verifier.appraise(Run.evidence(), against: expectation)
        #expect(!result.isProbeBound)
    }

    @Test func aProbeThatReadAnotherIDIsNamed() throws {
        var expectation = Run.expectation
        expectation.probedID = Run.otherID
        let error = #expect(throws: AppraisalError.self) {
            try Verifier.appraise(Run.evidence(), against: expectation)
        }
        #expect(error == .probeMismatch(probe: Run.otherID, claimed: Run.id))
        #expect(error?.code == .idMismatch)
        #expect(
            error?.description
                == "the probe read 77b0000000000001, the evidence says 1f0c5a9922ee4b07")
    }

    /// Each message names both of its values.
    @Test func messagesNameBothValues() {
        let cases: [(AppraisalError, [String])] = [
            (.signature(key: [0xab]), ["ab"]),
            (.replayed(sent: [0xab], claimed: [0xcd]), ["ab", "cd"]),
            (.keyInvalid(.key("reason")), ["reason"]),
            (.keyMismatch(announced: [0xab], claimed: [0xcd]), ["ab", "cd"]),
            (.idMismatch(announced: Run.id, claimed: Run.otherID), ["1f0c", "77b0"]),
            (.boardMismatch(announced: "one", claimed: "two"), ["one", "two"]),
            (.probeMismatch(probe: Run.id, claimed: Run.otherID), ["1f0c", "77b0"]),
            (.ueidMismatch(derived: [0xab], claimed: [0xcd]), ["ab", "cd"]),
            (.endorsementMismatch(known: [0xab], claimed: [0xcd]), ["ab", "cd"]),
            (.credentialMismatch(type: 2, expected: [0xab], claimed: nil), ["ab", "nothing", "2"]),
            (.request(OpenSSLError("read", reason: "reason")), ["read", "reason"]),
            (.subjectMismatch(announced: Run.id, claimed: ["x"]), ["1f0c", "x"]),
            (.subjectMismatch(announced: Run.id, claimed: []), ["1f0c", "missing"]),
        ]
        for (error, values) in cases {
            #expect(values.allSatisfy(error.description.contains), "\(error)")
            #expect(
                error.description.first?.isLowercase == true && !error.description.hasSuffix("."))
        }
    }
}
