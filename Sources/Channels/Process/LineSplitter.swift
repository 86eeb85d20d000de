/// Bytes to lines, which end with LF, CR or both.
struct LineSplitter {
    /// A longer line is passed on in parts. Bytes.
    static let maximumLength = 1 << 16

    private var line: [UInt8] = []
    private var endsWithReturn = false

    mutating func split(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            let isSecondOfPair = endsWithReturn && byte == UInt8(ascii: "\n")
            endsWithReturn = byte == UInt8(ascii: "\r")
            if isSecondOfPair { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                lines.append(take())
            } else {
                line.append(byte)
                if line.count == Self.maximumLength { lines.append(take()) }
            }
        }
        return lines
    }

    /// The last line, if it has no end.
    mutating func finish() -> [String] { line.isEmpty ? [] : [take()] }

    private mutating func take() -> String {
        defer { line.removeAll(keepingCapacity: true) }
        return String(decoding: line, as: UTF8.self)
    }
}
