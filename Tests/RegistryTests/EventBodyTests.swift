import COSE
import Foundation
import Provisioning
import Testing

@testable import Registry

/// What an event says comes back as it was written.
@Suite struct EventBodyTests {
    private static let digest = Octets([UInt8](0..<32))
    private static let text = "a \"b\" \\ / \u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f} ä \u{2028} 😀"

    static let changes: [RegistryChange] = [
        .deviceAdded(.init(board: text, deviceID: Octets([0, 0xff]))),
        .deviceNamed(.init(nickname: "😀")), .deviceNamed(.init(nickname: nil)),
        .keyRegistered(
            .init(
                device: .max, keyID: .max, thumbprint: digest, algorithm: .min, publicKey: digest,
                basis: text, isImported: true, firmwareDigest: nil, evidence: digest, grounds: [])),
        .keyRegistered(
            .init(
                device: 1, keyID: 0, thumbprint: digest, algorithm: -7, publicKey: digest,
                basis: "", isImported: false, firmwareDigest: digest, evidence: digest,
                grounds: ["flashed", text])),
        .keyActivated(.init(confirmation: digest)),
        .keyRevoked(.init(reason: 4, note: text, supersededBy: digest)),
        .keyReinstated(.init(note: text)),
        .credentialIssued(
            .init(
                key: 2, type: 3, issuer: Octets([]), serialNumber: nil, document: digest,
                notBefore: 0, notAfter: 253_402_300_799)),
        .credentialRevoked(.init(reason: 10)), .listNumbered(.init(issuer: digest, number: 1)),
    ]

    @Test(arguments: changes) func aBodyIsReadAsItWasWritten(change: RegistryChange) throws {
        let body = try change.body()
        let read = try RegistryChange(change.kind, body: body)
        #expect("\(read)" == "\(change)")
        #expect(try read.body() == body)
    }

    @Test(arguments: changes) func aBodyThatWasCutIsRefused(change: RegistryChange) throws {
        let body = Array(try change.body().utf8)
        for length in body.indices {
            #expect(throws: ProjectionError.self) {
                try RegistryChange(
                    change.kind, body: String(decoding: body[..<length], as: UTF8.self))
            }
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", "{,}", #"{"confirmation"}"#, #"{"confirmation":}"#,
        #"{"confirmation":"00",}"#, #"{"confirmation":"0"}"#, #"{"confirmation":"0g"}"#,
        #"{"confirmation":0}"#, #"{"confirmation":null}"#, #"{"confirmation":"00"} "#,
        #"{"confirmation":"\u12"}"#, #"{"confirmation":"\ud83d\ude00"}"#,
        #"{"confirmation":"\x00"}"#, #"{"confirmation":"00","a":-}"#,
        #"{"confirmation":"00","a":9223372036854775808}"#, #"{"confirmation":"00","a":1.5}"#,
        #"{"confirmation":"00","a":[1]}"#, #"{"confirmation":"00","a":["b]}"#,
    ]) func whatThisProgramDoesNotWriteIsRefused(body: String) {
        #expect(throws: ProjectionError.self) { try RegistryChange(.keyActivated, body: body) }
    }

    @Test func datesAreFoundations() {
        var generator = SystemRandomNumberGenerator()
        let edges: [Int64] = [
            0, 68_255_999, 68_256_000, 951_782_399, 951_782_400, 951_868_799, 951_868_800,
            1_709_164_800, 1_735_689_599, 4_107_542_399, 4_107_542_400, 253_402_300_799,
        ]
        let others = (0..<5000).map { _ in
            Int64.random(in: NumericDate.registrable, using: &generator)
        }
        for seconds in edges + others {
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(NumericDate(seconds: seconds).utc == date.formatted(.iso8601))
        }
        #expect(NumericDate(seconds: -1).utc == "second -1")
        #expect(NumericDate(seconds: 253_402_300_800).utc == "second 253402300800")
    }
}
