import CBOR

/// Makes a device's output safe for a terminal: text, line ends, tabs and colours pass; everything that
/// moves the cursor, answers back, changes the terminal, or is not there to be seen becomes visible
/// instead. A carriage return passes where it ends or begins a line: within one, a device could write
/// over what it said.
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
        /// A carriage return behind text, and what follows decides.
        case carriageReturn
    }

    /// Longer parameters than colours need are no colours.
    private static let maximumParameters = 32
    private static let escape: UInt8 = 0x1b
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    private let showsColours: Bool
    private var state = State.text
    private var isAtLineStart = true
    /// Whether a colour or another attribute is on, as far as seen.
    package private(set) var hasAttributes = false

    /// - Parameter showsColours: otherwise they are left out.
    package init(showsColours: Bool = true) { self.showsColours = showsColours }

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
                emit("^[".utf8, to: &output)
                restart(byte, &output)
            }
        case .sequence(let parameters): pushSequence(byte, parameters, &output)
        case .character(let start, let length): pushCharacter(byte, start, length, &output)
        case .carriageReturn:
            guard byte != Self.carriageReturn else { return }
            emit(byte == Self.lineFeed ? "\r".utf8 : "^M".utf8, to: &output)
            restart(byte, &output)
        }
    }

    private mutating func pushText(_ byte: UInt8, _ output: inout [UInt8]) {
        switch byte {
        case Self.escape: state = .escape
        case Self.carriageReturn where !isAtLineStart: state = .carriageReturn
        case Self.lineFeed, Self.carriageReturn, UInt8(ascii: "\t"), 0x20...0x7e:
            // Most of a log: no array for each.
            output.append(byte)
            if byte != Self.carriageReturn { isAtLineStart = byte == Self.lineFeed }
        case 0x00...0x1f, 0x7f:
            output.append(UInt8(ascii: "^"))
            output.append(byte ^ 0x40)
            isAtLineStart = false
        case 0xc2...0xdf: state = .character([byte], length: 2)
        case 0xe0...0xef: state = .character([byte], length: 3)
        case 0xf0...0xf4: state = .character([byte], length: 4)
        default: emit(Self.visible([byte]), to: &output)
        }
    }

    private mutating func emit(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        output += bytes
        if let last = output.last, last != Self.carriageReturn {
            isAtLineStart = last == Self.lineFeed
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
            state = .text
            guard showsColours, let parameters = Self.withoutConcealment(parameters) else { return }
            hasAttributes = !parameters.allSatisfy { $0 == UInt8(ascii: "0") }
            emit([Self.escape, UInt8(ascii: "[")] + parameters + [byte], to: &output)
            return
        default: break
        }
        emit(Array("^[[".utf8) + parameters, to: &output)
        restart(byte, &output)
    }

    /// Without parameter 8: text is there to be seen. Nil if nothing else was asked for.
    private static func withoutConcealment(_ parameters: [UInt8]) -> [UInt8]? {
        guard parameters.contains(UInt8(ascii: "8")) else { return parameters }
        let separator = UInt8(ascii: ";")
        let all = parameters.split(separator: separator, omittingEmptySubsequences: false)
        var kept: [ArraySlice<UInt8>] = []
        var rest = all[...]
        while let first = rest.popFirst() {
            let selection = first.prefix { $0 != UInt8(ascii: ":") }
            switch Int(String(decoding: selection, as: UTF8.self)) {
            case 8: continue
            case 38, 48, 58:
                // ITU-T T.416: a palette's number or three components follow, which may be an 8.
                kept.append(first)
                guard selection.count == first.count else { continue }
                let modes = ["5": 2, "2": 4]
                let length = rest.first.flatMap { modes[String(decoding: $0, as: UTF8.self)] }
                kept += rest.prefix(length ?? 0)
                rest = rest.dropFirst(length ?? 0)
            default: kept.append(first)
            }
        }
        return kept.isEmpty ? nil : Array(kept.joined(separator: [separator]))
    }

    private mutating func pushCharacter(
        _ byte: UInt8, _ start: [UInt8], _ length: Int, _ output: inout [UInt8]
    ) {
        guard (0x80...0xbf).contains(byte) else {
            emit(Self.visible(start), to: &output)
            return restart(byte, &output)
        }
        let character = start + [byte]
        guard character.count == length else {
            state = .character(character, length: length)
            return
        }
        state = .text
        emit(Self.isPrintable(character) ? character : Self.visible(character), to: &output)
    }

    private mutating func restart(_ byte: UInt8, _ output: inout [UInt8]) {
        state = .text
        pushText(byte, &output)
    }

    /// Neither surrogates and overlong forms, nor what is no text.
    private static func isPrintable(_ character: [UInt8]) -> Bool {
        var iterator = character.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return false }
        return scalar.isPrintable
    }

    /// `\x9b`
    private static func visible(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { Array("\\x\([$0].hexadecimal)".utf8) }
    }
}
