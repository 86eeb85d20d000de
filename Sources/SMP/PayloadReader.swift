internal import CBOR

/// Reads the fields of an answer, and says which one is wrong. Unknown keys are nobody's business.
struct PayloadReader {
    private let payload: CBORMap
    private let name: String

    /// `name` stands in the errors: `"device"`.
    init(_ payload: CBORMap, of name: String) {
        self.payload = payload
        self.name = name
    }

    func uint32(_ key: String) throws(SMPError) -> UInt32 {
        guard let number = try value(key).unsigned.flatMap({ UInt32(exactly: $0) }) else {
            throw wrong(key, "no 32-bit number")
        }
        return number
    }

    func unsigned(_ key: String) throws(SMPError) -> UInt64 {
        guard let number = try value(key).unsigned else { throw wrong(key, "no unsigned number") }
        return number
    }

    func integer(_ key: String) throws(SMPError) -> Int64 {
        guard let number = try value(key).integer else { throw wrong(key, "no integer") }
        return number
    }

    func length(_ key: String, in range: ClosedRange<Int>) throws(SMPError) -> Int {
        guard let number = try value(key).unsigned else { throw wrong(key, "no unsigned number") }
        guard number <= UInt64(range.upperBound) else {
            throw tooMuch(key, "\(number), not up to \(range.upperBound)")
        }
        guard number >= UInt64(range.lowerBound) else {
            throw wrong(key, "\(number), not from \(range.lowerBound)")
        }
        return Int(number)
    }

    func bool(_ key: String) throws(SMPError) -> Bool {
        guard let value = try value(key).bool else { throw wrong(key, "neither true nor false") }
        return value
    }

    func bytes(_ key: String, count range: ClosedRange<Int>) throws(SMPError) -> [UInt8] {
        guard let bytes = try value(key).bytes else { throw wrong(key, "no byte string") }
        guard range.contains(bytes.count) else {
            let reason = "\(bytes.count) bytes, not \(range.lowerBound) to \(range.upperBound)"
            throw bytes.count > range.upperBound ? tooMuch(key, reason) : wrong(key, reason)
        }
        return bytes
    }

    /// UTF-8 of at most `maximumLength` bytes.
    func text(
        _ key: String, minimumLength: Int = 0, maximumLength: Int
    ) throws(SMPError) -> String {
        guard let text = try value(key).text else { throw wrong(key, "no text") }
        let count = text.utf8.count
        guard (minimumLength...maximumLength).contains(count) else {
            let reason = "\(count) bytes, not \(minimumLength) to \(maximumLength)"
            throw count > maximumLength ? tooMuch(key, reason) : wrong(key, reason)
        }
        return text
    }

    /// Text that goes to terminals, tables and file names: no control characters.
    func name(
        _ key: String, minimumLength: Int, maximumLength: Int
    ) throws(SMPError) -> String {
        let text = try text(key, minimumLength: minimumLength, maximumLength: maximumLength)
        guard text.unicodeScalars.allSatisfy(\.isPrintable) else {
            throw wrong(key, "unprintable characters")
        }
        return text
    }

    func array<Element>(
        _ key: String, maximumCount: Int, of element: (CBORValue) -> Element?
    ) throws(SMPError) -> [Element] {
        guard let items = try value(key).array else { throw wrong(key, "no array") }
        guard items.count <= maximumCount else {
            throw tooMuch(key, "\(items.count) items, not up to \(maximumCount)")
        }
        let elements = items.compactMap(element)
        guard elements.count == items.count else { throw wrong(key, "an item of another type") }
        return elements
    }

    func has(_ key: String) -> Bool { payload[.text(key)] != nil }

    func wrong(_ key: String, _ reason: String) -> SMPError {
        .malformed("the \(name) answer's \"\(key)\" is wrong: \(reason)")
    }

    /// As `wrong`, where it is more than this host takes.
    private func tooMuch(_ key: String, _ reason: String) -> SMPError {
        .oversized("the \(name) answer's \"\(key)\" is too much: \(reason)")
    }

    private func value(_ key: String) throws(SMPError) -> CBORValue {
        guard let value = payload[.text(key)] else {
            throw .malformed("the \(name) answer has no \"\(key)\"")
        }
        return value
    }
}
