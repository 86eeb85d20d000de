/// The line protocol between `provision` and an adapter, version 1: what both ends share. It is
/// specified in `Sources/ProvisioningTesting/Documentation.docc/AdapterProtocol.md`.
public enum AdapterProtocol {
    public static let version = 1
    /// Octets of a line, with its end.
    public static let maximumLineLength = 65_536
    /// Levels of lists and objects in a line.
    public static let maximumDepth = 16
    /// Octets of a device's data in one message, before base64.
    public static let maximumDataLength = 4096
    /// What a program's name begins with: `provision-platform-NAME`.
    public static let programPrefix = "provision-platform-"
}

/// What a host may ask for.
public enum AdapterRequest: String, CaseIterable, Sendable, Hashable {
    /// Which version, which board. Always the first.
    case hello
    case flash, identify, open, write, reset, close
    /// The last: the adapter answers and ends.
    case bye
}

/// What an adapter says it can do. Every adapter can `open`.
public enum AdapterAbility: String, CaseIterable, Sendable, Hashable {
    case flash, erase, identify, reset
}
