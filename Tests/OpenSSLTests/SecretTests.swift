import OpenSSL
import Testing

@Suite struct SecretTests {
    private struct Holder {
        let name = "holder"
        let secret: Secret
    }

    @Test func nothingShowsIt() {
        let word = "correct horse"
        let secret = Secret(Array(word.utf8))
        var dumped = ""
        dump(Holder(secret: secret), to: &dumped)
        let shown = [
            "\(secret)", String(reflecting: secret), "\(Holder(secret: secret))",
            String(reflecting: Holder(secret: secret)), dumped,
            "\(Mirror(reflecting: secret).children.map(\.value))",
        ]
        for text in shown {
            #expect(!text.contains(word))
            #expect(!text.contains("99, 111, 114"))
        }
        #expect("\(secret)" == "<redacted>")
        #expect(secret.withUnsafeBytes { Array($0) } == Array(word.utf8))
    }

    @Test func signingKeyShowsNothing() throws {
        let key = try SigningKey.generate()
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "<redacted>")
        #expect(!dumped.contains("publicKey"))
    }

    @Test func countsWhatWasWritten() {
        let secret = Secret(capacity: 10) { buffer in
            buffer[0] = 7
            return 1
        }
        #expect(secret.count == 1)
        #expect(secret.withUnsafeBytes { Array($0) } == [7])
    }
}
