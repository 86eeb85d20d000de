import Testing

@testable import CBOR

/// Diagnostic notation as far as a claims set needs it.
@Suite struct DiagnosticTests {
    private func read(_ text: String, depth: Int = 4) throws(CBORDiagnosticError) -> CBORValue {
        try CBORValue.readDiagnostic(Array(text.utf8), depth: depth).value
    }

    @Test(
        arguments: [
            ("0", .unsigned(0)), ("18446744073709551615", .unsigned(.max)), ("-1", .negative(0)),
            ("-18446744073709551615", .negative(.max - 1)), ("h''", .bytes([])),
            ("h'00fFA1'", .bytes([0, 255, 161])), ("\"\"", .text("")),
            ("\"ä\\\"\\\\\"", .text("ä\"\\")),
            ("[]", .array([])), ("[1, [2] ]", .array([.unsigned(1), .array([.unsigned(2)])])),
            ("{}", .map([:])),
            ("{ 1 : h'02' , \"a\" : true }", .map([1: .bytes([2]), "a": .simple(21)])),
            ("\n{\r\n\t1: [\n2\n]\n}", .map([1: .array([.unsigned(2)])])),
            ("false", .simple(20)), ("null", .simple(22)),
        ] as [(String, CBORValue)])
    func reads(_ text: String, _ expected: CBORValue) throws {
        #expect(try read(text) == expected)
    }

    /// The reader takes what is written, as far as it reads at all.
    @Test(
        arguments: [
            (.negative(.max), "-18446744073709551616"), (.negative(0), "-1"),
            (.text("a\"\\\n\u{1b}\u{202e}😀ä"), #""a\"\\\u000a\u001b\u202e😀ä""#),
            (.tagged(24, .bytes([0, 255])), "24(h'00ff')"),
            (.array([.simple(22), .simple(23), .simple(99)]), "[null, undefined, simple(99)]"),
            (.array([.float(1), .float(-.infinity), .float(.nan)]), "[1.0, -Infinity, NaN]"),
            (.map([2: "x", 1: .map([:])]), #"{2: "x", 1: {}}"#),
        ] as [(CBORValue, String)])
    func writes(_ value: CBORValue, _ expected: String) {
        #expect(value.diagnosticNotation == expected)
    }

    @Test func readsWhatItWrites() throws {
        let value = CBORValue.map([
            8: .map([1: .map([1: 2, 2: .bytes([]), -1: 1, -2: .bytes([1, 2])])]),
            "a\"b\\": .array([.simple(20), .simple(21), .simple(22), -500]),
        ])
        #expect(try read(value.diagnosticNotation) == value)
    }

    @Test func leavesWhatFollows() throws {
        let (value, length) = try CBORValue.readDiagnostic(
            Array(" {1:2}  (stored.rs:88)".utf8), depth: 1)
        #expect(value == .map([1: 2]))
        #expect(length == 6)
    }

    @Test(
        arguments: [
            "", " ", "{", "{1", "{1:", "{1:2", "{1:2,", "{1:2,}", "{1:2,1:3}", "{1}", "[1", "[1,]",
            "[,]",
            "h'", "h'0", "h'0'", "h'0g'", "h'00", "\"", "\"a", "\"\\n\"", "\"\u{1}\"", "-", "-0",
            "01", "1.5",
            "1e3", "0x10", "1(2)", "18446744073709551616", "tru", "undefined", "<<1>>", "b64'AA'",
            "{_ 1:2}",
            "(_ h'00')", "[[[[[1]]]]]", "'a'",
        ])
    func refuses(_ text: String) {
        #expect(throws: CBORDiagnosticError.self) { try read(text) }
    }

    @Test func refusesTextThatIsNotUTF8() {
        #expect(throws: CBORDiagnosticError.self) {
            try CBORValue.readDiagnostic([0x22, 0xff, 0x22], depth: 1)
        }
    }

    /// A cut text is none, wherever it is cut.
    @Test func refusesEachPart() {
        let text = "{8:{1:{1:2, 2:h'', -1:1, \"x\":\"y\", -2:h'b994'}}}"
        for length in 0..<text.utf8.count {
            #expect(throws: CBORDiagnosticError.self) { try read(String(text.prefix(length))) }
        }
    }

    @Test func depthIsBounded() {
        let nested = String(repeating: "[", count: 100_000)
        #expect(throws: CBORDiagnosticError.self) { try read(nested, depth: 16) }
    }
}
