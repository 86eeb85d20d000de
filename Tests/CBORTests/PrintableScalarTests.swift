import CBOR
import Testing

@Suite struct PrintableScalarTests {
    @Test(arguments: "aZ09 ~-éß漢\u{1F4A1}\u{301}".unicodeScalars.map(\.value))
    func text(_ scalar: UInt32) throws {
        #expect(try #require(Unicode.Scalar(scalar)).isPrintable)
    }

    /// Controls of both kinds, marks that turn or join, line and paragraph ends, private use, none.
    @Test(
        arguments: [
            0, 0x0A, 0x1B, 0x7F, 0x80, 0x9B, 0xAD, 0x200B, 0x200F, 0x202E, 0x2028, 0x2029, 0x2066,
            0xFEFF,
            0xE000, 0xF8FF, 0x10_FFFD, 0xFFFF, 0xE0041,
        ] as [UInt32])
    func whatIsNone(_ scalar: UInt32) throws {
        #expect(try !#require(Unicode.Scalar(scalar)).isPrintable)
    }
}
