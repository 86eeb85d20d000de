import CBOR

/// Columns of text, each as wide as its longest cell.
struct Table {
    let header: [String]
    private(set) var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    mutating func append(_ cells: String...) { rows.append(cells.map(Self.printable)) }

    var text: String {
        let all = [header] + rows
        let widths = Self.widths(of: all)
        return all.map { Self.line($0, widths) }.joined()
    }

    fileprivate static func widths(of rows: [[String]]) -> [Int] {
        rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    }

    fileprivate static func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(width - cell.count, 0))
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }

    /// Board names, firmware versions and log lines come from devices: nothing that controls a
    /// terminal, or turns the text around it, reaches one.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.isPrintable ? Character($0) : "·" })
    }
}

/// A `Table` of more rows than memory holds: the first ones decide how wide the columns are, and a
/// longer cell after them moves the rest of its line.
struct LongTable {
    private let terminal: Terminal
    /// The header and the first rows, until they decided.
    private var first: [[String]]
    private var widths: [Int] = []
    private(set) var isEmpty = true

    private static let decidingCount = 1000

    init(_ header: String..., to terminal: Terminal = .standardOutput) {
        first = [header]
        self.terminal = terminal
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
    }

    private mutating func decide() throws {
        widths = Table.widths(of: first)
        try write(first)
        first = []
    }

    private func write(_ rows: [[String]]) throws {
        try terminal.writePart(Array(rows.map { Table.line($0, widths) }.joined().utf8))
    }
}
