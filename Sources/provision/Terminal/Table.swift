import CBOR

/// Columns of text, each as wide as its longest cell.
struct Table {
    let header: [String]
    private(set) var rows: [[String]] = []

    init(_ header: String...) { self.init(header) }

    init(_ header: [String]) { self.header = header }

    mutating func append(_ cells: String...) { append(cells) }

    mutating func append(_ cells: [String]) { rows.append(cells.map(Self.printable)) }

    var text: String {
        let all = [header] + rows
        let widths = Self.widths(of: all)
        return all.map { Self.line($0, widths) }.joined()
    }

    fileprivate static func widths(of rows: [[String]]) -> [Int] {
        rows[0].indices.map { column in rows.map { length($0[column]) }.max() ?? 0 }
    }

    fileprivate static func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        var spaces = 0
        for (cell, width) in zip(cells, widths) {
            // What stands before nothing is left out.
            if !cell.isEmpty {
                line += repeatElement(" ", count: spaces).joined()
                line += cell
                spaces = 0
            }
            spaces += max(width - length(cell), 0) + 2
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }

    /// Characters.
    private static func length(_ cell: String) -> Int {
        isPlain(cell) ? cell.utf8.count : cell.count
    }

    /// Nearly every cell is: what follows each character of Unicode takes a hundred times as long.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { 0x20..<0x7F ~= $0 }
    }

    /// Board names, firmware versions and log lines come from devices: nothing that controls a
    /// terminal, or turns the text around it, reaches one.
    static func printable(_ text: String) -> String {
        isPlain(text)
            ? text : String(text.unicodeScalars.map { $0.isPrintable ? Character($0) : "·" })
    }
}

/// A `Table` of more rows than memory holds: the first ones decide how wide the columns are, and a
/// longer cell after them moves the rest of its line.
struct LongTable {
    private let output: PartBuffer
    /// The header and the first rows, until they decided.
    private var first: [[String]]
    private var widths: [Int] = []
    private(set) var isEmpty = true

    private static let decidingCount = 1000

    init(_ header: String..., to terminal: Terminal = .standardOutput) {
        first = [header]
        output = PartBuffer(terminal.writePart)
    }

    mutating func append(_ cells: String...) throws {
        isEmpty = false
        let cells = cells.map(Table.printable)
        guard widths.isEmpty else { return try write([cells]) }
        first.append(cells)
        if first.count > Self.decidingCount { try decide() }
    }

    mutating func end() throws {
        if widths.isEmpty { try decide() }
        try output.flush()
    }

    private mutating func decide() throws {
        widths = Table.widths(of: first)
        try write(first)
        first = []
    }

    private func write(_ rows: [[String]]) throws {
        try output.append { text in
            for row in rows { text += Table.line(row, widths).utf8 }
        }
    }
}
