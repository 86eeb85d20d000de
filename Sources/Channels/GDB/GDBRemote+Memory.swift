import CBOR
public import Provisioning

extension GDBRemote {
    /// How the bytes are fetched: registers of some chips answer whole words only.
    public enum AccessWidth: Sendable, Hashable {
        case any
        /// One request per aligned 32-bit word.
        case word
    }

    /// Bytes that the answer to one request carries, as hexadecimal digits.
    var readLength: Int { max(1, (packetSize - 4) / 2) }

    /// An answer of this many bytes, 1020 digits, has no sound checksum from OpenOCD 0.12 and earlier:
    /// `gdb_put_packet_inner` of gdb_server.c puts it and its frame into 1024 bytes, with a zero behind them.
    private static let cutLength = 510

    /// Reads memory with the core halted, unless `leavesCoreRunning`.
    ///
    /// - Parameters:
    ///   - count: bytes; with `.word`, `address` and `count` are multiples of 4.
    /// - Throws: `.probeProtocol` also when the server sends fewer bytes than asked for.
    public func readMemory(at address: UInt64, count: Int, width: AccessWidth = .any)
        throws(ProvisioningError) -> [UInt8]
    {
        guard count >= 0, !address.addingReportingOverflow(UInt64(max(0, count))).overflow else {
            throw violation("no \(count) bytes of memory at \(address.addressNotation)")
        }
        if width == .word, !(address | UInt64(count)).isMultiple(of: 4) {
            throw violation("no words: \(count) bytes at \(address.addressNotation)")
        }
        if !leavesCoreRunning { try halt() }
        let chunk = width == .word ? 4 : readLength
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            var wanted = min(chunk, count - bytes.count)
            // The rest comes with the next request. Two less, so that halfwords stay whole.
            if wanted == Self.cutLength { wanted -= 2 }
            bytes += try readChunk(at: address + UInt64(bytes.count), count: wanted)
        }
        return bytes
    }

    private func readChunk(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        let request = "m\(String(address, radix: 16)),\(String(count, radix: 16))"
        let answer = try exchange(request)
        // E and two digits is an error; a read of an odd number of digits cannot be data.
        guard !answer.isEmpty, !(answer.count == 3 && answer.first == UInt8(ascii: "E")) else {
            throw refused(request, answer)
        }
        guard let bytes = [UInt8](hexadecimal: answer) else {
            throw violation(
                "the answer to \(request) is not hexadecimal: "
                    + PlainText.sanitized(answer.prefix(40)))
        }
        guard bytes.count == count else {
            throw violation("\(request) was answered with \(bytes.count) bytes, not \(count)")
        }
        return bytes
    }

    /// Writes memory with the core halted, unless `leavesCoreRunning`.
    ///
    /// - Parameter progress: gets the bytes written so far after each packet.
    public func writeMemory(
        at address: UInt64, _ bytes: some RandomAccessCollection<UInt8>,
        progress: (Int) -> Void = { _ in }
    ) throws(ProvisioningError) {
        guard !address.addingReportingOverflow(UInt64(bytes.count)).overflow else {
            throw violation("no \(bytes.count) bytes of memory at \(address.addressNotation)")
        }
        if !leavesCoreRunning { try halt() }
        let isBinary = try acceptsBinaryWrites(at: address)
        var rest = bytes[...]
        var done = 0
        while !rest.isEmpty {
            let start = address + UInt64(done)
            let chunk = isBinary ? binaryWrite(at: start, rest) : textWrite(at: start, rest)
            try command(chunk.request)
            rest = rest.dropFirst(chunk.count)
            done += chunk.count
            progress(done)
        }
    }

    /// The request that writes all of `bytes`, which are not none. Nil if one is not enough.
    func singleWrite(of bytes: [UInt8], at address: UInt64) throws(ProvisioningError) -> [UInt8]? {
        let isBinary = try acceptsBinaryWrites(at: address)
        let chunk = isBinary ? binaryWrite(at: address, bytes) : textWrite(at: address, bytes)
        return chunk.count == bytes.count ? chunk.request : nil
    }

    /// GDB asks the same way: an empty write is OK, or unknown.
    private func acceptsBinaryWrites(at address: UInt64) throws(ProvisioningError) -> Bool {
        if let known = takesBinaryWrites { return known }
        let answer = try exchange("X\(String(address, radix: 16)),0:")
        let accepts = answer.elementsEqual("OK".utf8)
        takesBinaryWrites = accepts
        return accepts
    }

    /// Longest `M` or `X` header: letter, 16 digits, comma, 8 digits, colon; and the frame.
    private var roomForData: Int { packetSize - 32 }

    private func textWrite(at address: UInt64, _ rest: some RandomAccessCollection<UInt8>)
        -> (request: [UInt8], count: Int)
    {
        let chunk = rest.prefix(max(1, roomForData / 2))
        let header = "M\(String(address, radix: 16)),\(String(chunk.count, radix: 16)):"
        return (Array(header.utf8) + chunk.hexadecimal.utf8, chunk.count)
    }

    private func binaryWrite(at address: UInt64, _ rest: some RandomAccessCollection<UInt8>)
        -> (request: [UInt8], count: Int)
    {
        var size = 0
        let chunk = rest.prefix { byte in
            size += GDBPacket.isSpecial(byte) ? 2 : 1
            return size <= roomForData
        }
        let header = "X\(String(address, radix: 16)),\(String(chunk.count, radix: 16)):"
        return (Array(header.utf8) + chunk, chunk.count)
    }
}
