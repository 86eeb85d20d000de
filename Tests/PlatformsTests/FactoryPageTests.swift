import Testing

@testable import Platforms

@Suite struct FactoryPageTests {
    /// The check value of [222, 104, 153, 118]-32/ISO-HDLC, and zlib's of nothing.
    @Test func checksum() {
        #expect(FactoryPage.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(FactoryPage.crc32([]) == 0)
    }

    /// The checksum was computed with Python's `zlib.crc32`.
    @Test func layout() {
        let page = FactoryPage.bytes(id: [1, 2, 3])
        #expect(page == Array("PRVFACT1".utf8) + [3, 0, 0, 0, 1, 2, 3] + [222, 104, 153, 118])
        #expect(page[FactoryPage.idOffset] == 1)
    }
}
