import FuzzDecoders
import Testing

extension DeviceTests {
    /// What the fuzzer keeps, on the one board that a process has.
    @Suite struct KeptInputTests {
        @Test(arguments: FuzzTarget.all.filter(\.usesBoard).map(\.name))
        func everyPropertyHolds(_ name: String) throws {
            let target = try #require(FuzzTarget.named(name))
            let inputs = try target.keptInputs()
            #expect(inputs.count >= 4, "the corpus is lost")
            for input in inputs {
                #expect(throws: Never.self, "\(input)") { try target.check(input.bytes) }
            }
        }
    }
}
