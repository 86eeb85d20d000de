import Foundation
import OpenSSL
import Testing

@Suite struct CertificateTimeTests {
    @Test(arguments: [
        (0, "19700101000000Z"), (-1, "19691231235959Z"), (-631_152_000, "19500101000000Z"),
        (951_782_399, "20000228235959Z"), (951_782_400, "20000229000000Z"),
        (4_107_542_400, "21000301000000Z"), (2_524_607_999, "20491231235959Z"),
        (2_524_608_000, "20500101000000Z"), (253_402_300_799, "99991231235959Z"),
    ])
    func shows(_ seconds: Int, _ text: String) throws {
        #expect(try #require(CertificateTime(seconds: Int64(seconds))).description == text)
    }

    @Test func agreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for seconds in stride(from: Int64(-631_152_000), to: 8_000_000_000, by: 12_345_678) {
            let time = try #require(CertificateTime(seconds: seconds))
            let date = Date(timeIntervalSince1970: Double(seconds))
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second], from: date)
            let expected = String(
                format: "%04d%02d%02d%02d%02d%02dZ", parts.year!, parts.month!, parts.day!,
                parts.hour!, parts.minute!, parts.second!)
            #expect(time.description == expected)
        }
    }

    @Test func hasBounds() {
        #expect(CertificateTime(seconds: -631_152_001) == nil)
        #expect(CertificateTime(seconds: 253_402_300_800) == nil)
        #expect(CertificateTime(seconds: .min) == nil)
        #expect(CertificateTime.noExpiry.description == "99991231235959Z")
    }
}
