import Foundation
import FuzzDecoders
import Testing

/// What the fuzzer keeps, without the fuzzer: `Scripts/fuzz` looks for more.
struct KeptInputTests {
    /// The board in memory is for DeviceProvisioningTests, which share it.
    static let names = FuzzTarget.all.filter { !$0.usesBoard }.map(\.name)

    @Test(arguments: names)
    func everyPropertyHolds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = try target.keptInputs()
        #expect(inputs.count >= 4, "the corpus is lost")
        for input in inputs {
            #expect(throws: Never.self, "\(input)") { try target.check(input.bytes) }
        }
    }

    /// Short inputs, and those that a length or a count promises more than they have.
    @Test(arguments: names)
    func everyPropertyHoldsForPrefixes(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        #expect(throws: Never.self) { try target.check([]) }
        let inputs = try target.keptInputs().filter { $0.bytes.count < 64 }
        for input in inputs.prefix(32) {
            for length in input.bytes.indices {
                #expect(throws: Never.self, "\(length) bytes of \(input)") {
                    try target.check(Array(input.bytes.prefix(length)))
                }
            }
        }
    }

    @Test func namesAreFolders() throws {
        let names = FuzzTarget.all.map(\.name)
        #expect(Set(names).count == names.count)
        let corpus = FuzzTarget.inputFolder.appending(path: "Corpus").path
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: corpus).sorted() == names.sorted())
        let findings = FuzzTarget.inputFolder.appending(path: "Findings").path
        let found = (try? FileManager.default.contentsOfDirectory(atPath: findings)) ?? []
        #expect(Set(found).isSubset(of: names), "what was found for these is never tried again")
        #expect(FuzzTarget.named("none") == nil)
    }
}
