/// The pairs of a CBOR map, in the order in which they arrived or were written.
///
/// Encoding sorts them (RFC 8949 §4.2.1); decoding refuses a key that stands twice.
public struct CBORMap: Hashable, Sendable {
    public struct Pair: Hashable, Sendable {
        public var key: CBORValue
        public var value: CBORValue

        public init(_ key: CBORValue, _ value: CBORValue) {
            self.key = key
            self.value = value
        }
    }

    public var pairs: [Pair]

    public init(_ pairs: [Pair] = []) { self.pairs = pairs }

    /// The value of `key`; setting nil removes the pair.
    public subscript(key: CBORValue) -> CBORValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append(Pair(key, value))
            case (nil, nil): break
            }
        }
    }
}

extension CBORMap: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (CBORValue, CBORValue)...) {
        pairs = elements.map { Pair($0, $1) }
    }
}
