import Provisioning

/// Columns of text, each as wide as its longest cell.
struct Table {
    let header: [String]
    private(set) var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    mutating func append(_ cells: String...) { rows.append(cells.map(Self.printable)) }

    var text: String {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([header] + rows).map { cells in
            let padded = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    /// Board names, firmware versions and log lines come from devices: nothing that controls a
    /// terminal, or turns the text around it, reaches one.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { isPlain($0) ? Character($0) : "·" })
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
        default: true
        }
    }
}
