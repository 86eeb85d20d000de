import Channels
import Provisioning
import TOMLKit

/// The keys of one table of a platform file. Whatever is not a case is refused.
protocol PlatformKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

/// One table of a platform file, on top of those that the file refers to. Opening it refuses unknown keys;
/// reading checks type and range. Of several tables the first that has a key says what it is.
struct PlatformSection<Key: PlatformKey> {
    /// The platform file's own first. Never empty.
    private let layers: [PlatformLayer]
    /// Empty for the root.
    private let path: [String]

    init(
        _ table: TOMLTable, at path: [String], in document: PlatformDocument
    ) throws(ProvisioningError) {
        try self.init([PlatformLayer(table, document)], at: path)
    }

    init(_ layers: [PlatformLayer], at path: [String]) throws(ProvisioningError) {
        self.layers = layers
        self.path = path
        for layer in layers {
            guard let key = layer.keys.filter({ Key(rawValue: $0) == nil }).min() else { continue }
            let known = Key.allCases.map(\.rawValue)
            let hint = key.nearest(among: known).map { "did you mean \"\($0)\"?" }
            throw layer.document.invalid(
                "unknown key \"\(key)\"\(Self.place(path))", at: path, key: key,
                hint: hint ?? "known here: \(known.sorted().joined(separator: ", "))")
        }
    }

    private static func place(_ path: [String]) -> String {
        path.isEmpty ? "" : " in [\(path.joined(separator: "."))]"
    }

    func invalid(_ key: Key?, _ reason: String, hint: String? = nil) -> ProvisioningError {
        let layer = key.flatMap { key in layers.first { $0[key.rawValue] != nil } } ?? layers[0]
        return layer.document.invalid(
            "\(reason)\(Self.place(path))", at: path, key: key?.rawValue, hint: hint)
    }

    func missing(_ key: Key) -> ProvisioningError {
        invalid(key, "missing \"\(key.rawValue)\"", hint: "add \(key.rawValue)\(Self.place(path))")
    }

    func has(_ key: Key) -> Bool { level(of: key) != nil }

    /// Whose value counts; nil: there is none.
    func level(of key: Key) -> PlatformLayer.Level? {
        layers.first { $0[key.rawValue] != nil }?.level
    }

    /// Where a table has one of `anchors`, those below it don't count for `keys`: they would be half of
    /// another answer to the same question.
    func replacing(_ keys: Set<Key>, with anchors: Set<Key>) -> PlatformSection {
        let anchors = anchors.map(\.rawValue)
        guard let top = layers.firstIndex(where: { layer in anchors.contains { layer[$0] != nil } })
        else { return self }
        let hidden = keys.map(\.rawValue)
        var layers = layers
        for index in layers.indices where index > top { layers[index].hide(hidden) }
        return PlatformSection(checked: layers, path)
    }

    private init(checked layers: [PlatformLayer], _ path: [String]) {
        self.layers = layers
        self.path = path
    }

    /// Nil if there is no such key; `extract` returns nil for a value of another type.
    private func value<Value>(
        _ key: Key, _ expected: String, _ extract: (TOMLValue) -> Value?
    ) throws(ProvisioningError) -> Value? {
        for layer in layers {
            guard let value = layer[key.rawValue] else { continue }
            return try Self.extracted(value, key, expected, extract, layer, path)
        }
        return nil
    }

    private static func extracted<Value>(
        _ value: TOMLValue, _ key: Key, _ expected: String, _ extract: (TOMLValue) -> Value?,
        _ layer: PlatformLayer, _ path: [String]
    ) throws(ProvisioningError) -> Value {
        guard let result = extract(value) else {
            let actual = value.type.description
            let article = "aeiou".contains(actual.prefix(1)) ? "an" : "a"
            throw layer.document.invalid(
                "\"\(key.rawValue)\" is \(article) \(actual), not \(expected)\(place(path))",
                at: path, key: key.rawValue)
        }
        return result
    }

    /// One line of 1 to `limit` characters.
    func string(_ key: Key, atMost limit: Int = 256) throws(ProvisioningError) -> String? {
        guard let string = try value(key, "a string", \.string) else { return nil }
        let isOneLine = !string.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        guard (1...limit).contains(string.count), isOneLine else {
            throw invalid(key, "\"\(key.rawValue)\" is not one line of 1 to \(limit) characters")
        }
        return string
    }

    func choice<Choice>(_ key: Key, of type: Choice.Type) throws(ProvisioningError) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let string = try string(key) else { return nil }
        guard let choice = Choice(rawValue: string) else { throw unknown(string, key, type) }
        return choice
    }

    /// A list of different choices; empty only if the file says so.
    func choices<Choice>(_ key: Key, of type: Choice.Type) throws(ProvisioningError) -> Set<Choice>?
    where Choice: RawRepresentable<String> & CaseIterable & Hashable {
        guard let strings = try strings(key) else { return nil }
        var choices: Set<Choice> = []
        for string in strings {
            guard let choice = Choice(rawValue: string) else { throw unknown(string, key, type) }
            guard choices.insert(choice).inserted else {
                throw invalid(
                    key, "\"\(key.rawValue)\" has \"\(string)\" twice", hint: "name it once")
            }
        }
        return choices
    }

    private func unknown<Choice>(
        _ string: String, _ key: Key, _ type: Choice.Type
    ) -> ProvisioningError where Choice: RawRepresentable<String> & CaseIterable {
        let known = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let nearest = string.nearest(among: Choice.allCases.map(\.rawValue))
        return invalid(
            key, "\"\(key.rawValue)\" is \"\(string)\", not one of \(known)",
            hint: nearest.map { "did you mean \"\($0)\"?" })
    }

    private func strings(_ key: Key) throws(ProvisioningError) -> [String]? {
        try value(key, "a list of strings") { value in
            guard let array = value.array else { return nil }
            let strings = array.compactMap(\.string)
            return strings.count == array.count ? strings : nil
        }
    }

    /// A string, or a list of them.
    func words(_ key: Key) throws(ProvisioningError) -> [String]? {
        try value(key, "a string or a list of strings") { value in
            if let string = value.string { return [string] }
            guard let array = value.array else { return nil }
            let strings = array.compactMap(\.string)
            return strings.count == array.count ? strings : nil
        }
    }

    /// An argument list: a command and its arguments, handed over without a shell.
    func command(
        _ key: Key, allowing placeholders: Set<CommandPlaceholder>
    ) throws(ProvisioningError) -> CommandTemplate? {
        guard let arguments = try strings(key) else { return nil }
        guard let first = arguments.first, !first.isEmpty, arguments.count <= 128 else {
            throw invalid(
                key,
                "\"\(key.rawValue)\" is not a list of 1 to 128 strings that begins with a command")
        }
        return try template(arguments, key, placeholders)
    }

    /// A list of lines with placeholders.
    func templates(
        _ key: Key, allowing placeholders: Set<CommandPlaceholder>
    ) throws(ProvisioningError) -> [CommandTemplate]? {
        guard let lines = try strings(key) else { return nil }
        guard (1...32).contains(lines.count), lines.allSatisfy({ (1...256).contains($0.count) })
        else {
            throw invalid(key, "\"\(key.rawValue)\" is not a list of 1 to 32 lines")
        }
        var templates: [CommandTemplate] = []
        for line in lines { templates.append(try template([line], key, placeholders)) }
        return templates
    }

    /// One string with placeholders.
    func template(
        _ key: Key, allowing placeholders: Set<CommandPlaceholder>
    ) throws(ProvisioningError) -> CommandTemplate? {
        guard let text = try string(key) else { return nil }
        return try template([text], key, placeholders)
    }

    private func template(
        _ arguments: [String], _ key: Key, _ placeholders: Set<CommandPlaceholder>
    ) throws(ProvisioningError) -> CommandTemplate {
        do {
            return try CommandTemplate(arguments, allowing: placeholders)
        } catch {
            throw invalid(key, "\"\(key.rawValue)\": \(error.reason)", hint: error.hint)
        }
    }

    func integer(_ key: Key, in range: ClosedRange<Int>) throws(ProvisioningError) -> Int? {
        guard let integer = try value(key, "an integer", \.int) else { return nil }
        guard range.contains(integer) else {
            throw invalid(
                key,
                "\"\(key.rawValue)\" is \(integer), not \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// One integer or a list of different ones.
    func integers(_ key: Key, in range: ClosedRange<Int>) throws(ProvisioningError) -> [Int]? {
        let integers: [Int]? = try value(key, "an integer or a list of integers") { value in
            if let integer = value.int { return [integer] }
            guard let array = value.array else { return nil }
            let integers = array.compactMap(\.int)
            return integers.count == array.count ? integers : nil
        }
        guard let integers else { return nil }
        guard !integers.isEmpty, Set(integers).count == integers.count else {
            throw invalid(
                key, "\"\(key.rawValue)\" is empty or has one value twice",
                hint: "name each value once")
        }
        for integer in integers where !range.contains(integer) {
            throw invalid(
                key,
                "\"\(key.rawValue)\" has \(integer), not \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return integers
    }

    func boolean(_ key: Key) throws(ProvisioningError) -> Bool? {
        try value(key, "true or false", \.bool)
    }

    func section<Inner: PlatformKey>(
        _ key: Key, keys: Inner.Type
    ) throws(ProvisioningError) -> PlatformSection<Inner>? {
        var inner: [PlatformLayer] = []
        for layer in layers {
            guard let value = layer[key.rawValue] else { continue }
            let table = try Self.extracted(value, key, "a table", \.table, layer, path)
            inner.append(PlatformLayer(table, layer.document, layer.level))
        }
        guard !inner.isEmpty else { return nil }
        return try PlatformSection<Inner>(inner, at: path + [key.rawValue])
    }

    /// A list of tables.
    func sections<Inner: PlatformKey>(
        _ key: Key, keys: Inner.Type
    ) throws(ProvisioningError) -> [PlatformSection<Inner>]? {
        let tables: [TOMLTable]? = try value(key, "a list of tables") { value in
            guard let array = value.array else { return nil }
            let tables = array.compactMap(\.table)
            return tables.count == array.count ? tables : nil
        }
        guard let tables, let document = layers.first(where: { $0[key.rawValue] != nil })?.document
        else { return nil }
        var sections: [PlatformSection<Inner>] = []
        for table in tables {
            sections.append(
                try PlatformSection<Inner>(table, at: path + [key.rawValue], in: document))
        }
        return sections
    }
}

extension PlatformSection<RegionKey> {
    /// The section as a whole: a range of the address space.
    func addressRange(lengths: ClosedRange<Int>) throws(ProvisioningError) -> AddressRange {
        guard let address = try integer(.address, in: Platform.addresses) else {
            throw missing(.address)
        }
        guard let length = try integer(.length, in: lengths) else { throw missing(.length) }
        return try range(address, length, .length)
    }
}

extension PlatformSection {
    func range(_ address: Int, _ length: Int, _ key: Key) throws(ProvisioningError) -> AddressRange
    {
        guard address + length - 1 <= Platform.addresses.upperBound,
            let range = AddressRange(address: UInt64(address), length: length)
        else { throw invalid(key, "the region ends beyond 0xffffffff") }
        return range
    }
}
