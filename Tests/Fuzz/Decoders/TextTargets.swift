internal import Channels
internal import Platforms
internal import Provisioning

extension FuzzTarget {
    /// Platform files: TOML, and what the keys may say.
    static let platform = FuzzTarget("platform", maximumLength: 2048) { input in
        do {
            let platform = try Platform(parsing: input, name: "fuzz", file: "fuzz.toml")
            try require(platform.name == "fuzz", "the name is \(platform.name)")
        } catch let error as ProvisioningError {
            try require(error.code == .platformInvalid, "the error is \(error.code)")
            // What it took from a family, and does not go with what it says itself, is the family's.
            let isPlaced = ["fuzz.toml", "built-in "].contains { error.reason.hasPrefix($0) }
            try require(isPlaced, "no file in \"\(error.reason)\"")
        }
    }

    /// Commands with placeholders: arguments and values, with a NUL behind each.
    static let command = FuzzTarget("command", maximumLength: 1024) { input in
        let words = input.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let value = words[0]
        let arguments = Array(words.dropFirst())
        let template: CommandTemplate
        do throws(ProvisioningError) {
            template = try CommandTemplate(arguments)
        } catch {
            try require(error.code == .platformInvalid, "the error is \(error.code)")
            return
        }
        let values = Dictionary(
            uniqueKeysWithValues: CommandPlaceholder.allCases.map { ($0, value) })
        let filled: [String]
        do throws(ProvisioningError) {
            filled = try template.filled(with: values)
        } catch {
            try require(error.code == .usage, "the error is \(error.code)")
            return
        }
        try require(filled.count == arguments.count, "\(filled.count) of \(arguments.count)")
        for (argument, result) in zip(arguments, filled) where !argument.contains(where: isBrace) {
            try require(result == argument, "\"\(argument)\" became \"\(result)\"")
        }
        try require(
            template.placeholders.isEmpty || !value.hasPrefix("-")
                || filled.allSatisfy { !$0.hasPrefix("-") || arguments.contains($0) }
                || arguments.contains { $0.hasPrefix("-") },
            "a value became an option")
    }

    private static func isBrace(_ character: Character) -> Bool {
        character.unicodeScalars.contains { $0 == "{" || $0 == "}" }
    }

    /// What a device prints, on its way to the user's terminal.
    static let console = FuzzTarget("console") { input in
        var whole = TerminalFilter()
        let output = whole.filter(input)
        for count in [1, 3] {
            var filter = TerminalFilter()
            let pieces = input.pieces(of: count).flatMap { filter.filter($0) }
            try require(pieces == output, "pieces of \(count) give another text")
            try require(
                filter.hasAttributes == whole.hasAttributes, "pieces of \(count) leave colours")
        }
        // A byte becomes at most `\x9b`.
        try require(output.count <= 4 * input.count, "\(output.count) bytes of \(input.count)")
        guard let text = String(validating: output, as: UTF8.self) else {
            throw BrokenProperty("the output is not UTF-8")
        }
        try checkHarmless(text)
        var again = TerminalFilter()
        try require(again.filter(output) == output, "harmless text changes when filtered again")
    }

    /// Nothing but text, line ends, tabs and colours.
    private static func checkHarmless(_ text: String) throws {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar.value {
            case 0x1b:
                try require(rest.popFirst() == "[", "an escape that is no sequence")
                rest = rest.drop { "0123456789;:".unicodeScalars.contains($0) }
                try require(rest.popFirst() == "m", "a sequence that is no colour")
            case 0x09, 0x0a, 0x0d: continue
            case 0x00...0x1f, 0x7f...0x9f: throw BrokenProperty("control \(scalar.value)")
            case 0x200e, 0x200f, 0x061c, 0x2028...0x202e, 0x2066...0x2069:
                throw BrokenProperty("U+\(String(scalar.value, radix: 16)) reorders text")
            default: continue
            }
        }
    }
}
