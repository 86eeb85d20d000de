import Attestation
import Testing

struct VectorTests {
    @Test func everyRefusalOfEvidenceHasAVector() {
        let covered = Set(Vector.all.compactMap(\.expected))
        let elsewhere: Set<RefusalCode> = [.csrRefused, .credentialMismatch, .idMissing]
        #expect(covered == Set(RefusalCode.allCases).subtracting(elsewhere))
        #expect(Vector.all.contains { $0.expected == nil })
    }

    @Test(arguments: Vector.all)
    func oneVectorOneFailure(vector: Vector) {
        var expectation = Run.expectation
        if vector.name == "good-esp256" { expectation.algorithm = .esp256 }
        #expect(Run.refusal(of: vector.bytes, expectation) == vector.expected)
    }

    @Test(arguments: [0x01, 0x02, 0x20, 0x40, 0x80, 0xff] as [UInt8])
    func aMutatedOctetNeverYieldsAResult(mask: UInt8) {
        let good = Vector.named("good").bytes
        for index in good.indices {
            var mutated = good
            mutated[index] ^= mask
            #expect(Run.refusal(of: mutated) != nil, "octet \(index)")
        }
    }

    @Test func aPrefixNeverYieldsAResult() {
        let good = Vector.named("good").bytes
        for length in good.indices {
            #expect(Run.refusal(of: Array(good.prefix(length))) == .evidenceMalformed)
        }
    }

    @Test func anInsertedOrMissingOctetNeverYieldsAResult() {
        let good = Vector.named("good").bytes
        for index in good.indices {
            var longer = good
            longer.insert(good[index], at: index)
            #expect(Run.refusal(of: longer) != nil, "inserted \(index)")
            var shorter = good
            shorter.remove(at: index)
            #expect(Run.refusal(of: shorter) != nil, "removed \(index)")
        }
    }
}
