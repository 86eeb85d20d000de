import CBOR
import Testing

@Suite struct HexadecimalTests {
    @Test(
        arguments: [
            ("", []), ("00", [0]), ("fF09aA", [0xff, 0x09, 0xaa]),
        ] as [(String, [UInt8])])
    func digitsMakeOctets(_ text: String, _ octets: [UInt8]) {
        #expect([UInt8](hexadecimal: text.utf8) == octets)
        #expect(octets.hexadecimal == text.lowercased())
    }

    /// Full-width digits look like digits, and Swift's own judgement is that they are.
    @Test(arguments: ["0", "000", "0g", "-1", "0x", "1 ", "１２", "ａｂ", "é0"])
    func nothingElseDoes(_ text: String) {
        #expect([UInt8](hexadecimal: text.utf8) == nil)
    }
}
