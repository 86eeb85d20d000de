extension CBORValue {
    public static let null = CBORValue.simple(22)
    public static let undefined = CBORValue.simple(23)

    public static func bool(_ value: Bool) -> CBORValue { .simple(value ? 21 : 20) }

    /// An integer of either sign.
    public static func int(_ value: Int64) -> CBORValue {
        value < 0 ? .negative(UInt64(bitPattern: ~value)) : .unsigned(UInt64(value))
    }

    /// An integer of either sign.
    public static func int(_ value: Int) -> CBORValue { .int(Int64(value)) }

    /// An integer of either sign; nil if it is none or does not fit.
    public var integer: Int64? {
        switch self {
        case .unsigned(let number): Int64(exactly: number)
        case .negative(let number): Int64(exactly: number).map { ~$0 }
        default: nil
        }
    }

    public var unsigned: UInt64? {
        if case .unsigned(let number) = self { number } else { nil }
    }

    public var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    public var array: [CBORValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    public var map: CBORMap? {
        if case .map(let map) = self { map } else { nil }
    }

    public var bool: Bool? {
        switch self {
        case .simple(20): false
        case .simple(21): true
        default: nil
        }
    }

    public var isNull: Bool { self == .null }
}

extension CBORValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .int(value) }
}

extension CBORValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
}

extension CBORValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension CBORValue: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: CBORValue...) { self = .array(elements) }
}

extension CBORValue: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (CBORValue, CBORValue)...) {
        self = .map(CBORMap(elements.map { CBORMap.Pair($0, $1) }))
    }
}
