import CBOR
import COSE
import Testing

/// The COSE working group's sign1-tests, ecdsa-examples and CWT, pass and fail.
struct WorkingGroupTests {
    /// Files of the three folders, and the two extra entries that the file's head names.
    @Test func theCorpusIsComplete() {
        let all = WorkingGroupExample.all
        for (folder, count) in [
            ("sign1-tests", 9), ("ecdsa-examples", 8), ("CWT", 4), ("eddsa-examples", 1),
        ] {
            #expect(all.count { $0.name.hasPrefix(folder + "/") } == count, "\(folder)")
        }
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(all.contains { $0.passes } && all.contains { !$0.passes })
    }

    /// What the working group calls wrong is never taken, and where this library says no to what
    /// it calls right, the file says why.
    @Test func nothingWrongIsTakenAndEachRefusalHasAReason() {
        for example in WorkingGroupExample.all {
            if example.expected == "verified" { #expect(example.passes, "\(example.name)") }
            if example.passes, example.expected != "verified" {
                #expect(example.reason != nil, "\(example.name)")
            }
        }
        #expect(WorkingGroupExample.all.count { $0.expected == "verified" } == 4)
    }

    @Test(arguments: WorkingGroupExample.all)
    func eachExampleEndsAsExpected(example: WorkingGroupExample) throws {
        #expect(outcome(of: example) == example.expected)
        guard example.expected == "verified" else { return }
        // What is verified is written again as it came, and no flipped bit is.
        let message = try COSESign1.decode(example.bytes, tag: .optional)
        #expect(message.encoded(isTagged: example.bytes.first == 0xD2) == example.bytes)
        for bit in 0..<example.bytes.count * 8 {
            var bytes = example.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            // Neither the tag nor the key ID beside the signature is signed.
            guard let changed = try? COSESign1.decode(bytes, tag: .optional),
                changed.signedBytes() != message.signedBytes()
                    || changed.signature != message.signature
            else { continue }
            #expect(outcome(of: example, bytes: bytes) != "verified", "bit \(bit)")
        }
    }

    private func outcome(of example: WorkingGroupExample, bytes: [UInt8]? = nil) -> String {
        let bytes = bytes ?? example.bytes
        do throws(COSEError) {
            // Only sign-pass-03 comes without a tag, and is said to be right.
            let tagging: COSESign1.Tagging =
                example.name.hasSuffix("sign-pass-03") ? .forbidden : .required
            if example.isCWT {
                let token = try CWT.decode(bytes)
                let key = try COSEKey(cbor: example.signer ?? .null)
                // Within the token's time, RFC 8392 A.1.
                _ = try token.claims(signedBy: key, at: CWTExampleTests.validTime)
            } else {
                let message = try COSESign1.decode(bytes, tag: tagging)
                let key = try COSEKey(cbor: example.signer ?? .null)
                try message.verify(with: key, externalData: example.externalData)
            }
            return "verified"
        } catch {
            return error.description
        }
    }
}
