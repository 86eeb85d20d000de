internal import CLibCBOR

/// The head of one data item as libcbor reads it, with the content of a definite string.
enum CBORHead {
    case unsigned(UInt64)
    case negative(UInt64)
    case bytes([UInt8])
    case text(UnsafeBufferPointer<UInt8>)
    case chunkedBytes
    case chunkedText
    /// nil: of indefinite length.
    case array(count: UInt64?)
    case map(pairCount: UInt64?)
    case tag(UInt64)
    case simple(UInt8)
    case float(Double)
    case stop
}

extension CBORHead {
    /// Whether `length` bytes are how deterministic encoding has this head and its string, RFC 8949 §4.2.1.
    /// False also for floats, where that takes a closer look.
    func isShortest(_ length: Int) -> Bool {
        switch self {
        case .unsigned(let number), .negative(let number), .tag(let number):
            length == Self.shortestLength(number)
        case .bytes(let bytes):
            length == Self.shortestLength(UInt64(bytes.count)) + bytes.count
        case .text(let bytes):
            length == Self.shortestLength(UInt64(bytes.count)) + bytes.count
        case .array(let count?), .map(let count?): length == Self.shortestLength(count)
        case .simple: true
        case .array(nil), .map(nil), .chunkedBytes, .chunkedText, .stop, .float: false
        }
    }

    private static func shortestLength(_ argument: UInt64) -> Int {
        switch argument {
        case ..<24: 1
        case ...0xFF: 2
        case ...0xFFFF: 3
        case ...0xFFFF_FFFF: 5
        default: 9
        }
    }

    enum Failure: Error {
        case truncated
        case malformed
    }

    /// Reads one head from the start of `input`; `.text` points into `input`.
    static func read(
        _ input: UnsafeBufferPointer<UInt8>
    ) throws(Failure) -> (head: CBORHead, length: Int) {
        guard let first = input.first else { throw .truncated }
        switch first {
        // libcbor 0.8 refuses the unassigned short tags, COSE's among them, and the simple values
        // that have no name.
        case 0xC0...0xD7:
            return (.tag(UInt64(first & 0x1F)), 1)
        case 0xE0...0xF3:
            return (.simple(first & 0x1F), 1)
        case 0xF8:
            guard input.count > 1 else { throw .truncated }
            // RFC 8949 §3.3: values below 32 have no two-byte form.
            guard input[1] >= 32 else { throw .malformed }
            return (.simple(input[1]), 2)
        default:
            return try readWithLibrary(input)
        }
    }

    private static func readWithLibrary(
        _ input: UnsafeBufferPointer<UInt8>
    ) throws(Failure) -> (head: CBORHead, length: Int) {
        var head: CBORHead?
        let result = withUnsafeMutablePointer(to: &head) { target in
            withUnsafePointer(to: callbacks) { callbacks in
                cbor_stream_decode(input.baseAddress, input.count, callbacks, target)
            }
        }
        switch result.status {
        case CBOR_DECODER_FINISHED:
            guard let head, result.read > 0 else { throw .malformed }
            return (head, result.read)
        case CBOR_DECODER_NEDATA:
            throw .truncated
        default:
            throw .malformed
        }
    }

    private static func put(_ head: CBORHead, _ context: UnsafeMutableRawPointer?) {
        context?.assumingMemoryBound(to: CBORHead?.self).pointee = head
    }

    private static let callbacks = cbor_callbacks(
        uint8: { put(.unsigned(UInt64($1)), $0) },
        uint16: { put(.unsigned(UInt64($1)), $0) },
        uint32: { put(.unsigned(UInt64($1)), $0) },
        uint64: { put(.unsigned($1), $0) },
        negint64: { put(.negative($1), $0) },
        negint32: { put(.negative(UInt64($1)), $0) },
        negint16: { put(.negative(UInt64($1)), $0) },
        negint8: { put(.negative(UInt64($1)), $0) },
        byte_string_start: { put(.chunkedBytes, $0) },
        byte_string: { put(.bytes(Array(UnsafeBufferPointer(start: $1, count: $2))), $0) },
        string: { put(.text(UnsafeBufferPointer(start: $1, count: $2)), $0) },
        string_start: { put(.chunkedText, $0) },
        indef_array_start: { put(.array(count: nil), $0) },
        array_start: { put(.array(count: UInt64(UInt(bitPattern: $1))), $0) },
        indef_map_start: { put(.map(pairCount: nil), $0) },
        map_start: { put(.map(pairCount: UInt64(UInt(bitPattern: $1))), $0) },
        tag: { put(.tag($1), $0) },
        float2: { put(.float(Double($1)), $0) },
        float4: { put(.float(Double($1)), $0) },
        float8: { put(.float($1), $0) },
        undefined: { put(.simple(23), $0) },
        null: { put(.simple(22), $0) },
        boolean: { put(.simple($1 ? 21 : 20), $0) },
        indef_break: { put(.stop, $0) }
    )
}
