import TOMLKit

/// One file's table, of those that together are a table of a platform.
struct PlatformLayer {
    /// Whose table it is: what stands above overrides what stands below, key by key.
    enum Level: Int { case board, family, tool }

    let level: Level
    let document: PlatformDocument
    private let table: TOMLTable
    private var hidden: [String]

    init(
        _ table: TOMLTable, _ document: PlatformDocument, _ level: Level = .board,
        hiding hidden: [String] = []
    ) {
        self.table = table
        self.document = document
        self.level = level
        self.hidden = hidden
    }

    /// Without the hidden ones.
    var keys: [String] { table.keys.filter { !hidden.contains($0) } }

    subscript(key: String) -> TOMLValue? {
        hidden.contains(key) ? nil : table[key]?.tomlValue
    }

    mutating func hide(_ keys: [String]) { hidden += keys }
}
