/// Makes one byte stream of two channels': frames, and log text, which never comes into a frame's line.
package struct RTTLines {
    private var ready: [UInt8] = []
    /// Log text that waits for the end of a line, the frame's or its own.
    private var held: [UInt8] = []
    private var isInLine = false

    /// Bytes of log text that wait at the most: a channel that sends no lines is no reason to lose any.
    private static let maximumHeld = 4096
    /// Bytes after which nothing more should be appended before some are taken.
    private static let capacity = 1 << 16
    private static let lineFeed = UInt8(ascii: "\n")

    package init() {}

    package var isEmpty: Bool { ready.isEmpty }
    package var hasRoom: Bool { ready.count < Self.capacity }

    /// What came on both channels in one look; no log text means that there will be none for a while.
    package mutating func append(_ frames: [UInt8], log text: [UInt8]) {
        ready += frames
        if let last = frames.last { isInLine = last != Self.lineFeed }
        held += text
        if held.count > Self.maximumHeld || (!isInLine && text.isEmpty) {
            release(held.count)
        } else if !isInLine, let end = held.lastIndex(of: Self.lineFeed) {
            release(end + 1)
        }
    }

    private mutating func release(_ count: Int) {
        ready += held.prefix(count)
        held.removeFirst(count)
    }

    /// The next bytes, at most `limit`.
    package mutating func take(_ limit: Int) -> [UInt8] {
        defer { ready.removeFirst(min(limit, ready.count)) }
        return Array(ready.prefix(limit))
    }
}
