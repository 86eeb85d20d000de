// Two values are equal when their deterministic encodings are.
extension CBORValue {
    public static func == (one: CBORValue, other: CBORValue) -> Bool {
        switch (one, other) {
        case (.unsigned(let one), .unsigned(let other)): one == other
        case (.negative(let one), .negative(let other)): one == other
        case (.bytes(let one), .bytes(let other)): one == other
        // String's own equality takes canonically equivalent texts for one: two map keys could
        // pass for each other.
        case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
        case (.array(let one), .array(let other)): one == other
        case (.map(let one), .map(let other)): one == other
        case (.tagged(let one, let oneValue), .tagged(let other, let otherValue)):
            one == other && oneValue == otherValue
        case (.simple(let one), .simple(let other)): one == other
        case (.float(let one), .float(let other)):
            one.identity == other.identity
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .unsigned(let number):
            hasher.combine(0)
            hasher.combine(number)
        case .negative(let number):
            hasher.combine(1)
            hasher.combine(number)
        case .bytes(let bytes):
            hasher.combine(2)
            hasher.combine(bytes)
        case .text(let text):
            hasher.combine(3)
            hasher.combine(text.utf8.count)
            for byte in text.utf8 { hasher.combine(byte) }
        case .array(let items):
            hasher.combine(4)
            hasher.combine(items)
        case .map(let map):
            hasher.combine(5)
            hasher.combine(map)
        case .tagged(let number, let value):
            hasher.combine(6)
            hasher.combine(number)
            hasher.combine(value)
        case .simple(let number):
            hasher.combine(7)
            hasher.combine(number)
        case .float(let number):
            hasher.combine(8)
            hasher.combine(number.identity)
        }
    }
}

extension Double {
    /// The bits, all NaNs being one: +0 and −0 differ, as they do on the wire.
    fileprivate var identity: UInt64 { (isNaN ? Double.nan : self).bitPattern }
}

// A map is a set of pairs: their order is not part of it. To compare pair by pair, or as sets, would
// take a multiple of the time with every level that a stranger nests.
extension CBORMap {
    public static func == (one: CBORMap, other: CBORMap) -> Bool {
        one.identity == other.identity
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}
