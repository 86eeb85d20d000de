/// Some of what a filter matches, in the order in which it was registered.
public struct RegistryPage<Record: Sendable>: Sendable {
    public let records: [Record]
    /// Where the next page begins; nil after the last one.
    public let next: RegistryCursor?
}

/// A place in a listing. It stays valid: nothing is deleted or moved.
public struct RegistryCursor: Sendable, Hashable {
    let row: Int64
}
