import CBOR
import Testing

/// RFC 8949 Appendix F: the examples of what is not well-formed, the whole list.
struct AppendixFTests {
    static let endInAHead = """
        18, 19, 1a, 1b, 1901, 1a0102, 1b01020304050607, 38, 58, 78, 98, 9a01ff00, b8, d8, f8, \
        f900, fa0000, fb000000
        """
    static let shortStrings = """
        41, 61, 5affffffff00, 5bffffffffffffffff010203, 7affffffff00, 7b7fffffffffffffff010203
        """
    static let unclosedDefinite = """
        81, 818181818181818181, 8200, a1, a20102, a100, a2000000
        """
    static let tagWithoutContent = "c0"
    static let unclosedIndefinite = """
        5f4100, 7f6100, 9f, 9f0102, bf, bf01020102, 819f, 9f8000, 9f9f9f9f9fffffffff, \
        9f819f819f9fffffff
        """

    static let reservedInformation = """
        1c, 1d, 1e, 3c, 3d, 3e, 5c, 5d, 5e, 7c, 7d, 7e, 9c, 9d, 9e, bc, bd, be, dc, dd, de, fc, \
        fd, fe
        """
    static let reservedSimple = "f800, f801, f818, f81f"
    static let wrongChunks = """
        5f00ff, 5f21ff, 5f6100ff, 5f80ff, 5fa0ff, 5fc000ff, 5fe0ff, 7f4100ff
        """
    static let nestedChunks = "5f5f4100ffff, 7f7f6100ffff"
    static let loneBreak = "ff"
    static let breakInDefinite = """
        81ff, 8200ff, a1ff, a1ff00, a100ff, a20000ff, 9f81ff, 9f829f819f9fffffffff
        """
    static let breakForAValue = "bf00ff, bf000000ff"
    static let indefiniteNumbers = "1f, 3f, df"

    static func list(_ examples: String...) -> [String] {
        examples.flatMap { $0.split(separator: ", ").map(String.init) }
    }

    static let tooShort = list(
        endInAHead, shortStrings, unclosedDefinite, tagWithoutContent, unclosedIndefinite)
    static let syntaxErrors = list(
        reservedInformation, reservedSimple, wrongChunks, nestedChunks, loneBreak,
        breakInDefinite, breakForAValue, indefiniteNumbers)

    /// What shows first where an example has more than one fault: a key that stands twice, or a
    /// count that the bytes can't hold.
    static let otherFaults: [String: CBORError.Code] = [
        "bf01020102": .duplicateKey, "bf000000ff": .duplicateKey, "a1ff": .truncated,
        "a20000ff": .truncated, "9f829f819f9fffffffff": .malformed,
    ]

    private func code(_ bytes: [UInt8]) -> CBORError.Code? {
        do {
            _ = try CBORValue.decode(bytes)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func theListIsComplete() {
        #expect(Self.tooShort.count + Self.syntaxErrors.count == 94)
    }

    @Test(arguments: tooShort)
    func isTooShort(_ encoding: String) {
        #expect(code(hex(encoding)) == Self.otherFaults[encoding] ?? .truncated)
    }

    @Test(arguments: syntaxErrors)
    func isMalformed(_ encoding: String) {
        #expect(code(hex(encoding)) == Self.otherFaults[encoding] ?? .malformed)
    }

    /// Bytes that arrive later don't make it well.
    @Test(arguments: syntaxErrors)
    func staysMalformed(_ encoding: String) {
        let expected = Self.otherFaults[encoding] == .duplicateKey
        let code = code(hex(encoding) + [UInt8](repeating: 0, count: 8))
        #expect(code == (expected ? .duplicateKey : .malformed))
    }
}
