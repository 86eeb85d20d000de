/// A tool that reads a chip's ID, and how it prints it.
public struct DeviceIDCommand: Sendable, Hashable {
    /// Run once for each region of the ID, or once if it knows the ID itself.
    public let command: CommandTemplate
    public let format: DeviceIDFormat
    /// The lines of the file `{script}`. Empty: it takes none.
    public let script: [CommandTemplate]

    public init(_ command: CommandTemplate, _ format: DeviceIDFormat, script: [CommandTemplate]) {
        self.command = command
        self.format = format
        self.script = script
    }

    /// What must be known beforehand. The place of the ID and the script are filled in here.
    public var placeholders: Set<CommandPlaceholder> {
        script.reduce(command.placeholders) { $0.union($1.placeholders) }
            .subtracting(Self.ownPlaceholders)
    }

    public static let ownPlaceholders: Set<CommandPlaceholder> = [
        .address, .words, .length, .script,
    ]
}
