import Attestation

/// Hexadecimal as GDB's remote protocol and messages about memory have it.
enum Hexadecimal {
    static func value(of byte: UInt8) -> UInt8? { byte.hexadecimalValue }

    /// Two digits.
    static func text(_ byte: UInt8) -> String { text(CollectionOfOne(byte)) }

    static func text(_ bytes: some Sequence<UInt8>) -> String { bytes.hexadecimal }

    static func digits(_ bytes: some Sequence<UInt8>) -> [UInt8] { Array(text(bytes).utf8) }

    /// Nil unless all are digits and their number is even.
    static func bytes(_ digits: some Collection<UInt8>) -> [UInt8]? { Array(hexadecimal: digits) }

    /// `0x` and at least one digit.
    static func address(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
}
