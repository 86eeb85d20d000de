public import Provisioning

/// What a command's arguments may name in braces.
public enum CommandPlaceholder: String, CaseIterable, Sendable, Hashable {
    /// Path of the firmware image.
    case image
    /// The chip's name, as the tool knows it.
    case chip
    /// Path of the serial port.
    case port
    /// Serial number or address of the debug probe.
    case probe
    /// The board's name.
    case board
    /// Bits per second.
    case baud
    /// Folder of the firmware package.
    case package
    /// Folder for build products.
    case scratch
    /// USB numbers of the debug probe, `0d28:0204`.
    case usb
    /// Where memory is read: `0x10000060`.
    case address
    /// How much of it, in words of 32 bits, and in bytes.
    case words, length
    /// Path of a file with commands for the tool.
    case script
}

/// An argument list with placeholders: `["west", "flash", "--elf-file={image}"]`. Double braces stand for
/// themselves.
public struct CommandTemplate: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case literal(String)
        case placeholder(CommandPlaceholder)
    }

    /// The arguments as written.
    public let arguments: [String]
    private let parts: [[Part]]

    /// - Parameter allowed: the placeholders that mean something for this command.
    /// - Throws: `.platformInvalid` naming an unknown placeholder, and the nearest known one.
    public init(
        _ arguments: [String],
        allowing allowed: Set<CommandPlaceholder> = Set(CommandPlaceholder.allCases)
    ) throws(ProvisioningError) {
        guard let program = arguments.first, !program.isEmpty else {
            throw ProvisioningError(
                .platformInvalid, "a command without a program",
                hint: "its first word is the program")
        }
        self.arguments = arguments
        var parts: [[Part]] = []
        for argument in arguments { parts.append(try Self.parse(argument, allowed)) }
        self.parts = parts
    }

    public var placeholders: Set<CommandPlaceholder> {
        Set(
            parts.joined().compactMap { part in
                guard case .placeholder(let placeholder) = part else { return nil }
                return placeholder
            })
    }

    /// The arguments with values filled in, one argument each, whatever they contain.
    ///
    /// - Throws: `.usage` if a value is missing, or the tool would take it for something else: an
    ///   option, when it starts the argument with `-`; code, in an argument that is a small script.
    public func filled(with values: [CommandPlaceholder: String]) throws(ProvisioningError)
        -> [String]
    {
        var result: [String] = []
        for argument in parts { result.append(try Self.fill(argument, values)) }
        return result
    }

    /// The program's name or path, with values filled in.
    ///
    /// - Throws: as `filled(with:)`.
    public func program(with values: [CommandPlaceholder: String]) throws(ProvisioningError)
        -> String
    {
        try Self.fill(parts[0], values)
    }

    // MARK: Parsing

    private static func parse(_ argument: String, _ allowed: Set<CommandPlaceholder>)
        throws(ProvisioningError) -> [Part]
    {
        // Most arguments have none, and going from character to character takes long.
        let hasBrace = argument.utf8.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }
        guard hasBrace else { return [.literal(argument)] }
        var parts: [Part] = []
        var literal = ""
        var rest = argument[...]
        while let character = rest.popFirst() {
            let isDoubled = rest.first == character
            switch character {
            case "{" where isDoubled, "}" where isDoubled:
                rest.removeFirst()
                literal.append(character)
            case "{":
                guard let end = rest.firstIndex(of: "}") else { throw unbalanced(argument) }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.placeholder(try placeholder(rest[..<end], in: argument, allowed)))
                rest = rest[rest.index(after: end)...]
            case "}": throw unbalanced(argument)
            default: literal.append(character)
            }
        }
        if !literal.isEmpty || parts.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func placeholder(
        _ name: Substring, in argument: String, _ allowed: Set<CommandPlaceholder>
    ) throws(ProvisioningError) -> CommandPlaceholder {
        if let known = CommandPlaceholder(rawValue: String(name)), allowed.contains(known) {
            return known
        }
        let names = allowed.map { "{\($0.rawValue)}" }.sorted().joined(separator: ", ")
        let nearest = String(name).nearest(among: allowed.map(\.rawValue))
        throw ProvisioningError(
            .platformInvalid, "the placeholder {\(name)} in \"\(argument)\" is unknown",
            hint: (nearest.map { "did you mean {\($0)}? " } ?? "")
                + (allowed.isEmpty ? "none can stand here" : "there are \(names)")
                + "; a brace itself is written twice")
    }

    private static func unbalanced(_ argument: String) -> ProvisioningError {
        ProvisioningError(
            .platformInvalid, "\"\(argument)\" has a brace without its partner",
            hint: "a brace itself is written twice")
    }

    // MARK: Filling

    private static func fill(_ argument: [Part], _ values: [CommandPlaceholder: String])
        throws(ProvisioningError) -> String
    {
        let literals = argument.map { part in
            guard case .literal(let text) = part else { return "" }
            return text
        }.joined()
        // `-c "program {image} verify"`: the tool parses the argument again.
        let isScript = literals.contains { $0.isWhitespace || ";[]{}\"'".contains($0) }
        var result = ""
        for part in argument {
            switch part {
            case .literal(let text): result += text
            case .placeholder(let placeholder):
                guard let value = values[placeholder] else { throw missing(placeholder) }
                try check(value, of: placeholder, isFirst: result.isEmpty, isScript: isScript)
                result += value
            }
        }
        return result
    }

    private static func check(
        _ value: String, of placeholder: CommandPlaceholder, isFirst: Bool, isScript: Bool
    ) throws(ProvisioningError) {
        let name = "the value of {\(placeholder.rawValue)}"
        guard !value.isEmpty else {
            throw ProvisioningError(.usage, "\(name) is empty", hint: "name it on the command line")
        }
        let isBroken = value.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard !isBroken else {
            throw ProvisioningError(
                .usage, "\(name) has a control character: \(PlainText.sanitized(value.utf8))",
                hint: "rename it: tools read lines")
        }
        guard !(isFirst && value.hasPrefix("-")) else {
            throw ProvisioningError(
                .usage, "\(name) would be taken for an option: \(value)",
                hint: "write ./\(value) for a file, or join it to its option: --file={image}")
        }
        if isScript,
            let bad = value.first(where: {
                $0.isWhitespace || ";[]{}()\"'`\\$#&|<>*?!".contains($0)
            })
        {
            throw ProvisioningError(
                .usage, "\(name) has \"\(bad)\", which means something to the tool: \(value)",
                hint: "use a path without spaces and special characters")
        }
    }

    private static func missing(_ placeholder: CommandPlaceholder) -> ProvisioningError {
        // --probe names a GDB server; an external tool selects its probe by serial number, by which its
        // USB numbers are found.
        let isProbe = placeholder == .probe || placeholder == .usb
        let option = isProbe ? "probe-serial" : placeholder.rawValue
        return ProvisioningError(
            .usage, "the command needs a value for {\(placeholder.rawValue)}",
            hint: "give one with --\(option) or in the platform file")
    }
}
