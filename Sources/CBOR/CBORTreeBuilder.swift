/// Builds one value from the heads of a stranger's bytes, without recursion.
struct CBORTreeBuilder {
    private struct Level {
        var container: Container
        /// Items that are missing: two for each pair of a map. nil: until the stop code.
        var missing: Int?
        var items: [CBORValue] = []
        /// Where the last key of a map stands in the input, while all is in deterministic form.
        var lastKey: Range<Int>?
        /// Of a map with many pairs; few are found faster in `items`.
        var keys: Set<CBORValue> = []
        /// What the chunks of a string held.
        var content: [UInt8] = []

        private static let fewItems = 32

        mutating func isNewKey(_ key: CBORValue) -> Bool {
            guard items.count > Self.fewItems else {
                return !stride(from: 0, to: items.count, by: 2).contains { items[$0] == key }
            }
            if keys.isEmpty {
                keys = Set(stride(from: 0, to: items.count, by: 2).map { items[$0] })
            }
            return keys.insert(key).inserted
        }
    }

    private enum Container {
        case array
        case map
        case tag(UInt64)
        case chunkedBytes
        case chunkedText
    }

    private let input: UnsafeBufferPointer<UInt8>
    private let limits: CBORLimits
    private var levels: [Level] = []
    private var offset = 0
    private var itemCount = 0
    /// Whether what was read is known to be in deterministic form. Once false, always false; it is also
    /// for rare forms that may be: who has to know encodes the value again.
    private(set) var isDeterministic = true

    /// Room for the items of a container, whatever it promises.
    private static let reservedItems = 32

    init(_ input: UnsafeBufferPointer<UInt8>, limits: CBORLimits) {
        self.input = input
        self.limits = limits
    }

    /// The first data item of the input and its length in bytes.
    mutating func build() throws(CBORError) -> (value: CBORValue, length: Int) {
        while true {
            let start = offset
            let head = try nextHead()
            if let value = try value(of: head, at: start),
                let whole = try deliver(value, at: start)
            {
                return (whole, offset)
            }
        }
    }

    private mutating func nextHead() throws(CBORError) -> CBORHead {
        let head: CBORHead
        let length: Int
        do {
            (head, length) = try CBORHead.read(UnsafeBufferPointer(rebasing: input[offset...]))
        } catch {
            switch error {
            case .truncated: throw CBORError(.truncated, at: input.count)
            case .malformed: throw CBORError(.malformed, at: offset)
            }
        }
        if case .stop = head {
        } else {
            guard itemCount < limits.itemCount else { throw CBORError(.tooManyItems, at: offset) }
            itemCount += 1
        }
        isDeterministic = isDeterministic && head.isShortest(length)
        offset += length
        return head
    }

    /// The value that `head` completes, or nil when it opened a level or filled a chunk.
    private mutating func value(
        of head: CBORHead, at start: Int
    ) throws(CBORError) -> CBORValue? {
        if let last = levels.indices.last {
            switch levels[last].container {
            case .chunkedBytes, .chunkedText: return try addChunk(head, to: last, at: start)
            case .array, .map, .tag: break
            }
        }
        switch head {
        case .unsigned(let number): return .unsigned(number)
        case .negative(let number): return .negative(number)
        case .bytes(let bytes): return .bytes(bytes)
        case .text(let bytes): return .text(try text(bytes, at: start))
        case .simple(let number): return .simple(number)
        case .float(let number): return .float(number)
        case .stop: return try closeIndefinite(at: start)
        case .chunkedBytes: return try open(.chunkedBytes, missing: nil, at: start)
        case .chunkedText: return try open(.chunkedText, missing: nil, at: start)
        case .tag(let number): return try open(.tag(number), missing: 1, at: start)
        case .array(let count):
            return try open(.array, missing: count, at: start)
        case .map(let pairCount):
            let (count, overflows) = (pairCount ?? 0).multipliedReportingOverflow(by: 2)
            guard !overflows else { throw CBORError(.tooManyItems, at: start) }
            return try open(.map, missing: pairCount == nil ? nil : count, at: start)
        }
    }

    private mutating func open(
        _ container: Container, missing: UInt64?, at start: Int
    ) throws(CBORError) -> CBORValue? {
        guard levels.count < limits.depth else { throw CBORError(.tooDeep, at: start) }
        // Nothing is allocated for what a count promises: the bytes must be able to hold it.
        if let missing {
            guard missing <= UInt64(max(0, limits.itemCount - itemCount)) else {
                throw CBORError(.tooManyItems, at: start)
            }
            guard missing <= UInt64(input.count - offset) else {
                throw CBORError(.truncated, at: input.count)
            }
        }
        var level = Level(container: container, missing: missing.map { Int($0) })
        if missing == 0 { return close(level) }
        level.items.reserveCapacity(min(level.missing ?? 0, Self.reservedItems))
        levels.append(level)
        return nil
    }

    private mutating func addChunk(
        _ head: CBORHead, to last: Int, at start: Int
    ) throws(CBORError) -> CBORValue? {
        switch (levels[last].container, head) {
        case (.chunkedBytes, .bytes(let chunk)):
            levels[last].content += chunk
            return nil
        case (.chunkedText, .text(let chunk)):
            // RFC 8949 §3.2.3: each chunk is UTF-8 on its own.
            _ = try text(chunk, at: start)
            levels[last].content += chunk
            return nil
        case (_, .stop):
            return close(levels.removeLast())
        default:
            throw CBORError(.malformed, at: start)
        }
    }

    private mutating func closeIndefinite(at start: Int) throws(CBORError) -> CBORValue {
        guard let level = levels.last, level.missing == nil else {
            throw CBORError(.malformed, at: start)
        }
        // A map that stops behind a key.
        if case .map = level.container, level.items.count % 2 == 1 {
            throw CBORError(.malformed, at: start)
        }
        return close(levels.removeLast())
    }

    private func close(_ level: Level) -> CBORValue {
        switch level.container {
        case .array:
            return .array(level.items)
        case .map:
            return .map(
                CBORMap(
                    stride(from: 0, to: level.items.count - 1, by: 2).map {
                        CBORMap.Pair(level.items[$0], level.items[$0 + 1])
                    }))
        case .tag(let number):
            return .tagged(number, level.items.first ?? .undefined)
        case .chunkedBytes:
            return .bytes(level.content)
        case .chunkedText:
            return .text(String(decoding: level.content, as: UTF8.self))
        }
    }

    /// Puts a complete value where it belongs; the outermost one comes back.
    private mutating func deliver(
        _ value: CBORValue, at start: Int
    ) throws(CBORError) -> CBORValue? {
        var value = value
        // The first value is all of its last head; one that it completes began before that.
        var bytes: Range<Int>? = start..<offset
        while let last = levels.indices.last {
            if case .map = levels[last].container, levels[last].items.count % 2 == 0 {
                guard isNewKey(value, at: bytes, to: last) else {
                    throw CBORError(.duplicateKey, at: start)
                }
            }
            bytes = nil
            levels[last].items.append(value)
            guard let missing = levels[last].missing else { return nil }
            levels[last].missing = missing - 1
            guard missing == 1 else { return nil }
            value = close(levels.removeLast())
        }
        return value
    }

    /// Whether no earlier key of its map is the same.
    ///
    /// - Parameter bytes: where it stands in the input, where that is known.
    private mutating func isNewKey(
        _ key: CBORValue, at bytes: Range<Int>?, to last: Int
    ) -> Bool {
        // Keys that have one form each and stand in ascending order are all different.
        if isDeterministic, let bytes, isBehind(levels[last].lastKey, bytes) {
            levels[last].lastKey = bytes
            return true
        }
        isDeterministic = false
        return levels[last].isNewKey(key)
    }

    /// Bytewise; everything is behind nil.
    private func isBehind(_ last: Range<Int>?, _ bytes: Range<Int>) -> Bool {
        guard let last else { return true }
        return input[last].lexicographicallyPrecedes(input[bytes])
    }

    private func text(
        _ bytes: UnsafeBufferPointer<UInt8>, at start: Int
    ) throws(CBORError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CBORError(.notUTF8, at: start)
        }
        return text
    }
}
