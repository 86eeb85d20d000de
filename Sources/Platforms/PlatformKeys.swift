// The keys of a platform file, table by table: the schema. `Platform+Parsing.swift` says what they mean.

enum RootKey: String, PlatformKey {
    case name, description, board
    case build, flash, identify, channel, probe, emulator, credentials, timeouts
}

enum BuildKey: String, PlatformKey {
    case name, command, image
}

enum FlashKey: String, PlatformKey {
    case method
    case command
    case eraseCommand = "erase-command"
    case resetCommand = "reset-command"
    case eraseRegions = "erase-regions"
    case resetMonitor = "reset-monitor"
}

enum RegionKey: String, PlatformKey {
    case address, length
}

enum IdentifyKey: String, PlatformKey {
    case address, length
    case wordAccess = "word-access"
}

enum ChannelKey: String, PlatformKey {
    case kind, baud
}

enum ProbeKey: String, PlatformKey {
    case endpoint
}

enum EmulatorKey: String, PlatformKey {
    case kind, command, persist
    case factoryPage = "factory-page"
    case seedPage = "seed-page"
}

enum CredentialsKey: String, PlatformKey {
    case types
    case validityDays = "validity-days"
    case trustAnchors = "trust-anchors"
}

enum TimeoutsKey: String, PlatformKey {
    case bootMilliseconds = "boot-ms"
    case answerMilliseconds = "answer-ms"
    case signatureMilliseconds = "signature-ms"
    case flashMilliseconds = "flash-ms"
}
