import Attestation
import Testing

@Suite struct DeviceIDTests {
    @Test func isWrittenInLowerCase() throws {
        let id = try #require(DeviceID(hexadecimal: "fF09aA"))
        #expect(id.bytes == [0xff, 0x09, 0xaa])
        #expect(id.description == "ff09aa")
    }

    /// Full-width digits look like digits, and Swift's own judgement is that they are.
    @Test(
        arguments: [
            "", "0", "0g", "0x", "1 ", "１２", "é0", String(repeating: "00", count: 65),
        ])
    func nothingElseIsOne(_ text: String) {
        #expect(DeviceID(hexadecimal: text) == nil)
    }
}
