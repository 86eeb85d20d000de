/// A decoder of foreign bytes, and what must hold whatever they are.
///
/// The fuzzer calls it with inputs that it invents, the ordinary tests with the corpus and with what
/// the fuzzer found before.
public struct FuzzTarget: Sendable {
    /// Its name, which is its corpus's folder.
    public let name: String
    /// Bytes of an input. Longer ones reach nothing new.
    public let maximumLength: Int
    /// Whether it uses the board in memory, of which a process has one.
    public let usesBoard: Bool
    private let body: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String, maximumLength: Int = 4096, usesBoard: Bool = false,
        _ body: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.maximumLength = maximumLength
        self.usesBoard = usesBoard
        self.body = body
    }

    /// - Throws: ``BrokenProperty`` if something that must hold does not. A refusal of `input` is no
    ///   error.
    public func check(_ input: [UInt8]) throws { try body(input) }

    public static let all: [FuzzTarget] = [
        .cbor, .cose, .frames, .raw, .smp, .evidence, .request, .certificate, .pem, .gdb, .rtt,
        .openOCD, .elf, .platform, .settings, .command, .identify, .monitor, .console, .log,
        .adapter, .device, .flash,
    ]

    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that must hold for every input, and does not for this one.
public struct BrokenProperty: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// - Throws: ``BrokenProperty`` unless `condition` holds.
func require(
    _ condition: @autoclosure () throws -> Bool, _ property: @autoclosure () -> String
) throws {
    guard try condition() else { throw BrokenProperty(property()) }
}

/// Takes an input apart: what the fuzzer chooses besides the bytes to decode.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// 0 behind the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func number() -> Int { Int(byte()) << 8 | Int(byte()) }

    /// As many as there are, at most `count`.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// A length, two bytes big-endian, and as many bytes as there are of it.
    mutating func part() -> [UInt8] { bytes(number()) }

    /// All the rest.
    mutating func remainder() -> [UInt8] { bytes(rest.count) }
}

extension [UInt8] {
    /// Pieces of `count` bytes, the last one shorter.
    func pieces(of count: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: self.count, by: count).map {
            self[$0..<Swift.min($0 + count, self.count)]
        }
    }
}
