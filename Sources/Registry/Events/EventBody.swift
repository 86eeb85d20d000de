/// The body of an event, read: one JSON object without white space, of texts, integers, truths and
/// lists of texts, as `RegistryChange.body()` writes it. Foundation's decoder would take most of the
/// time of `verify`.
struct EventBody {
    private let members: [(name: String, value: Value)]

    private enum Value {
        case null
        case bool(Bool)
        case integer(Int64)
        case text(String)
        case texts([String])
    }

    /// - Throws: `ProjectionError`, also for JSON that this program does not write.
    init(_ body: String) throws {
        var body = body
        members = try body.withUTF8 { octets in
            var scanner = Scanner(octets: octets)
            return try scanner.object()
        }
    }

    private subscript(name: String) -> Value? {
        for member in members where member.name == name {
            if case .null = member.value { return nil }
            return member.value
        }
        return nil
    }

    func optionalText(_ name: String) throws -> String? {
        guard let value = self[name] else { return nil }
        guard case .text(let text) = value else { throw Self.wrong(name) }
        return text
    }

    func text(_ name: String) throws -> String {
        try optionalText(name) ?? { throw Self.wrong(name) }()
    }

    func optionalOctets(_ name: String) throws -> Octets? {
        guard let text = try optionalText(name) else { return nil }
        guard let octets = Octets(hexadecimal: text) else { throw Self.wrong(name) }
        return octets
    }

    func octets(_ name: String) throws -> Octets {
        try optionalOctets(name) ?? { throw Self.wrong(name) }()
    }

    func optionalInteger<Integer: FixedWidthInteger>(_ name: String) throws -> Integer? {
        guard let value = self[name] else { return nil }
        guard case .integer(let stored) = value, let integer = Integer(exactly: stored) else {
            throw Self.wrong(name)
        }
        return integer
    }

    func integer<Integer: FixedWidthInteger>(_ name: String) throws -> Integer {
        try optionalInteger(name) ?? { throw Self.wrong(name) }()
    }

    func optionalBool(_ name: String) throws -> Bool? {
        guard let value = self[name] else { return nil }
        guard case .bool(let bool) = value else { throw Self.wrong(name) }
        return bool
    }

    func bool(_ name: String) throws -> Bool {
        try optionalBool(name) ?? { throw Self.wrong(name) }()
    }

    func texts(_ name: String) throws -> [String] {
        switch self[name] {
        case .texts(let texts): return texts
        default: throw Self.wrong(name)
        }
    }

    private static func wrong(_ name: String) -> ProjectionError {
        ProjectionError(description: "does not say \(name), or not as this program does")
    }
}

extension EventBody {
    /// One pass over the octets; each step leaves `index` after what it took.
    private struct Scanner {
        let octets: UnsafeBufferPointer<UInt8>
        private var index = 0

        init(octets: UnsafeBufferPointer<UInt8>) { self.octets = octets }

        private var wrong: ProjectionError {
            ProjectionError(description: "its body is no JSON of this program at octet \(index)")
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard index < octets.count, octets[index] == UInt8(ascii: scalar) else { return false }
            index += 1
            return true
        }

        private mutating func require(_ scalar: Unicode.Scalar) throws {
            guard take(scalar) else { throw wrong }
        }

        private mutating func take(_ word: StaticString) -> Bool {
            guard octets.count - index >= word.utf8CodeUnitCount,
                (0..<word.utf8CodeUnitCount).allSatisfy({
                    octets[index + $0] == word.utf8Start[$0]
                })
            else { return false }
            index += word.utf8CodeUnitCount
            return true
        }

        mutating func object() throws -> [(name: String, value: Value)] {
            var members: [(name: String, value: Value)] = []
            members.reserveCapacity(12)
            try require("{")
            if !take("}" as Unicode.Scalar) {
                repeat {
                    let name = try text()
                    try require(":")
                    members.append((name, try value()))
                } while take("," as Unicode.Scalar)
                try require("}")
            }
            guard index == octets.count else { throw wrong }
            return members
        }

        private mutating func value() throws -> Value {
            guard index < octets.count else { throw wrong }
            switch octets[index] {
            case UInt8(ascii: "\""): return .text(try text())
            case UInt8(ascii: "["): return .texts(try texts())
            default:
                if take("null" as StaticString) { return .null }
                if take("true" as StaticString) { return .bool(true) }
                if take("false" as StaticString) { return .bool(false) }
                return .integer(try integer())
            }
        }

        private mutating func texts() throws -> [String] {
            var texts: [String] = []
            try require("[")
            if take("]" as Unicode.Scalar) { return texts }
            repeat { texts.append(try text()) } while take("," as Unicode.Scalar)
            try require("]")
            return texts
        }

        private mutating func integer() throws -> Int64 {
            let start = index
            _ = take("-" as Unicode.Scalar)
            while index < octets.count, 0x30...0x39 ~= octets[index] { index += 1 }
            let digits = UnsafeBufferPointer(rebasing: octets[start..<index])
            guard let integer = Int64(String(decoding: digits, as: UTF8.self)) else { throw wrong }
            return integer
        }

        private mutating func text() throws -> String {
            try require("\"")
            let start = index
            while index < octets.count, octets[index] != UInt8(ascii: "\""),
                octets[index] != UInt8(ascii: "\\")
            {
                index += 1
            }
            let plain = UnsafeBufferPointer(rebasing: octets[start..<index])
            if take("\"" as Unicode.Scalar) { return String(decoding: plain, as: UTF8.self) }
            var text = Array(plain)
            while !take("\"" as Unicode.Scalar) {
                guard index < octets.count else { throw wrong }
                if take("\\" as Unicode.Scalar) {
                    text += try escaped()
                } else {
                    text.append(octets[index])
                    index += 1
                }
            }
            return String(decoding: text, as: UTF8.self)
        }

        /// What stands after a backslash: RFC 8259 §7, without pairs of surrogates, which nobody writes
        /// here.
        private mutating func escaped() throws -> [UInt8] {
            guard index < octets.count else { throw wrong }
            index += 1
            switch octets[index - 1] {
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                return [octets[index - 1]]
            case UInt8(ascii: "u"):
                guard octets.count - index >= 4,
                    let code = UInt32(
                        String(decoding: octets[index..<index + 4], as: UTF8.self), radix: 16),
                    let scalar = Unicode.Scalar(code)
                else { throw wrong }
                index += 4
                return Array(String(scalar).utf8)
            default: throw wrong
            }
        }
    }
}
