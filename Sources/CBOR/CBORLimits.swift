/// How much the decoder takes from a stranger.
public struct CBORLimits: Hashable, Sendable {
    /// The deepest nesting that can be asked for: values are walked recursively.
    public static let deepest = 256

    /// Enough for each message of this project: 1 MiB, 16 levels, 4096 items.
    public static let standard = CBORLimits()

    /// The most bytes that an input may have.
    public let byteCount: Int
    /// The most arrays, maps, tags and chunked strings that may be open at once.
    public let depth: Int
    /// The most data items, counting containers, tags, keys, values and chunks.
    public let itemCount: Int

    /// `depth` is cut to `deepest`.
    public init(byteCount: Int = 1 << 20, depth: Int = 16, itemCount: Int = 4096) {
        self.byteCount = byteCount
        self.depth = min(depth, Self.deepest)
        self.itemCount = itemCount
    }
}
