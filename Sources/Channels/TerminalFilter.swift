/// Makes a device's output safe for a terminal: text, line ends, tabs and colours pass; everything that
/// moves the cursor, answers back, or changes the terminal becomes visible instead.
///
/// UTF-8 is checked here, because a terminal may take the C1 controls in it, or in bytes that are
/// none, for control sequences. Sequences: ECMA-48 §5.4, SGR §8.3.117.
package struct TerminalFilter {
    private enum State {
        case text
        case escape
        /// `ESC [` and parameters so far.
        case sequence([UInt8])
        /// The bytes of a UTF-8 character so far, and how many it has.
        case character([UInt8], length: Int)
    }

    /// Longer parameters than colours need are no colours.
    private static let maximumParameters = 32
    private static let escape: UInt8 = 0x1b

    private var state = State.text
    /// Whether a colour or another attribute is on, as far as seen.
    package private(set) var hasAttributes = false

    package init() {}

    package mutating func filter(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        for byte in bytes { push(byte, &output) }
        return output
    }

    private mutating func push(_ byte: UInt8, _ output: inout [UInt8]) {
        switch state {
        case .text: pushText(byte, &output)
        case .escape:
            if byte == UInt8(ascii: "[") {
                state = .sequence([])
            } else {
                output += "^[".utf8
                restart(byte, &output)
            }
        case .sequence(let parameters): pushSequence(byte, parameters, &output)
        case .character(let start, let length): pushCharacter(byte, start, length, &output)
        }
    }

    private mutating func pushText(_ byte: UInt8, _ output: inout [UInt8]) {
        switch byte {
        case Self.escape: state = .escape
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"), 0x20...0x7e:
            output.append(byte)
        case 0x00...0x1f, 0x7f: output += [UInt8(ascii: "^"), byte ^ 0x40]
        case 0xc2...0xdf: state = .character([byte], length: 2)
        case 0xe0...0xef: state = .character([byte], length: 3)
        case 0xf0...0xf4: state = .character([byte], length: 4)
        default: output += Self.visible([byte])
        }
    }

    private mutating func pushSequence(
        _ byte: UInt8, _ parameters: [UInt8], _ output: inout [UInt8]
    ) {
        switch byte {
        case 0x30...0x39, UInt8(ascii: ";"), UInt8(ascii: ":"):
            guard parameters.count < Self.maximumParameters else { break }
            state = .sequence(parameters + [byte])
            return
        case UInt8(ascii: "m"):
            hasAttributes = !parameters.allSatisfy { $0 == UInt8(ascii: "0") }
            output += [Self.escape, UInt8(ascii: "[")] + parameters + [byte]
            state = .text
            return
        default: break
        }
        output += Array("^[[".utf8) + parameters
        restart(byte, &output)
    }

    private mutating func pushCharacter(
        _ byte: UInt8, _ start: [UInt8], _ length: Int, _ output: inout [UInt8]
    ) {
        guard (0x80...0xbf).contains(byte) else {
            output += Self.visible(start)
            return restart(byte, &output)
        }
        let character = start + [byte]
        guard character.count == length else {
            state = .character(character, length: length)
            return
        }
        state = .text
        output += Self.isHarmless(character) ? character : Self.visible(character)
    }

    private mutating func restart(_ byte: UInt8, _ output: inout [UInt8]) {
        state = .text
        pushText(byte, &output)
    }

    /// Neither C1 controls, nor surrogates and overlong forms, nor what reorders the text around it.
    private static func isHarmless(_ character: [UInt8]) -> Bool {
        var iterator = character.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return false }
        switch scalar.value {
        case 0x80...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: return false
        default: return true
        }
    }

    /// `\x9b`
    private static func visible(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { Array("\\x\(Hexadecimal.text($0))".utf8) }
    }
}
