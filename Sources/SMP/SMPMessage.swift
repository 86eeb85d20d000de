public import CBOR

/// A header and a CBOR map.
public struct SMPMessage: Hashable, Sendable {
    public let header: SMPHeader
    public let payload: CBORMap

    /// Throws `.tooLong` when the payload's encoding does not fit the header's 16-bit length.
    public init(
        version: SMPVersion = .v2, operation: SMPOperation, group: UInt16, sequence: UInt8,
        command: UInt8, payload: CBORMap = [:]
    ) throws(SMPError) {
        let length = CBORValue.map(payload).encoded().count
        guard let fitting = UInt16(exactly: length) else {
            throw .tooLong(byteCount: length, limit: Int(UInt16.max))
        }
        header = SMPHeader(
            version: version, operation: operation, length: fitting, group: group,
            sequence: sequence, command: command)
        self.payload = payload
    }

    /// Accepts any well-formed encoding of the map: Zephyr answers with indefinite lengths.
    public init(decoding bytes: [UInt8]) throws(SMPError) {
        guard let header = SMPHeader(bytes) else {
            throw .malformed("no SMP header in \(bytes.count) bytes")
        }
        let body = bytes.dropFirst(SMPHeader.byteCount)
        guard Int(header.length) == body.count else {
            throw .malformed("the SMP header announces \(header.length) bytes, \(body.count) came")
        }
        // Nothing was announced that is missing: this is no case for the limits.
        guard !body.isEmpty else { throw .malformed("the SMP payload is empty") }
        let value: CBORValue
        do {
            value = try CBORValue.decode(body)
        } catch {
            throw SMPError(error)
        }
        guard let payload = value.map else { throw .malformed("the SMP payload is no CBOR map") }
        self.header = header
        self.payload = payload
    }

    public func encoded() -> [UInt8] {
        header.encoded() + CBORValue.map(payload).encoded()
    }
}
