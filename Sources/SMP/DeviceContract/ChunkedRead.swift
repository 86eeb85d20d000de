internal import CBOR

/// A part of something that a device gives away in parts.
public struct Chunk: Hashable, Sendable {
    public let offset: Int
    /// Octets of the whole.
    public let totalLength: Int
    public let data: [UInt8]
    /// SHA-256 of the whole as the device tells it, 32 octets; first chunks of credentials only.
    public let digest: [UInt8]?

    init(
        _ payload: CBORMap, of name: String, at expected: Int, maximumLength: Int, hasDigest: Bool
    ) throws(SMPError) {
        let reader = PayloadReader(payload, of: name)
        totalLength = try reader.length("len", in: 1...maximumLength)
        offset = try reader.length("off", in: 0...maximumLength)
        guard offset == expected else {
            throw reader.wrong("off", "\(offset), asked for \(expected)")
        }
        guard offset < totalLength else {
            throw reader.wrong("len", "\(totalLength), and a part at \(offset)")
        }
        data = try reader.bytes("data", count: 1...totalLength - offset)
        digest =
            hasDigest && expected == 0 ? try reader.bytes("sha256", count: 32...32) : nil
    }
}

/// Reads evidence, a CSR or a credential part by part: a sequence of calls.
///
///     var read = contract.readCSR(keyID: 1)
///     while let call = read.next() { try read.accept(perform(call)) }
///     let csr = read.data
///
/// Ends after a bounded number of steps whatever the device answers. An error leaves nothing to
/// continue: begin anew.
public struct ChunkedRead: Sendable {
    /// Octets of evidence or CSR.
    public static let maximumDocumentLength = 4096
    /// Octets of a stored credential.
    public static let maximumCredentialLength = 16384
    /// Calls. Enough for the longest credential in parts of 16.
    public static let maximumSteps = 1024

    private let contract: DeviceContract
    private let command: UInt8
    private let name: String
    private let parameters: CBORMap
    /// Goes along at offset 0.
    private let opening: CBORMap
    private let maximumLength: Int
    private var received: [UInt8] = []
    private var totalLength: Int?
    private var steps = 0
    /// SHA-256 of the whole as the device tells it; credentials only. To be compared by the caller.
    public private(set) var digest: [UInt8]?

    init(
        _ contract: DeviceContract, command: UInt8, name: String, parameters: CBORMap,
        opening: CBORMap = [:], maximumLength: Int
    ) {
        self.contract = contract
        self.command = command
        self.name = name
        self.parameters = parameters
        self.opening = opening
        self.maximumLength = maximumLength
    }

    /// The whole; nil until it is complete.
    public var data: [UInt8]? { received.count == totalLength ? received : nil }

    /// The next call; nil once the whole is there.
    public func next() -> SMPCall<Chunk>? {
        guard data == nil else { return nil }
        let offset = received.count
        var payload = parameters
        payload["off"] = .int(offset)
        if offset == 0 { payload.pairs += opening.pairs }
        let isStored = command == DeviceContract.Command.credential
        return SMPCall(
            // Evidence and CSR are made anew at offset 0; then all parts are of the last one made.
            contract.read(command, payload, isIdempotent: isStored || offset > 0)
        ) { [name, maximumLength] payload throws(SMPError) in
            try Chunk(
                payload, of: name, at: offset, maximumLength: maximumLength, hasDigest: isStored)
        }
    }

    /// Takes the answer of the latest call.
    public mutating func accept(_ chunk: Chunk) throws(SMPError) {
        steps += 1
        guard steps <= Self.maximumSteps else {
            throw .stalled(steps: steps, offset: received.count)
        }
        guard chunk.offset == received.count else {
            throw .malformed("a \(name) part at \(chunk.offset), not at \(received.count)")
        }
        let totalLength = totalLength ?? chunk.totalLength
        guard chunk.totalLength == totalLength else {
            throw .malformed("\(name) of \(totalLength) bytes became \(chunk.totalLength) long")
        }
        self.totalLength = totalLength
        if let digest = chunk.digest { self.digest = digest }
        received += chunk.data
    }
}

extension DeviceContract {
    /// Evidence over `nonce`, as a tagged COSE_Sign1, at most 4096 octets.
    ///
    /// - Precondition: `nonce` has 8 to 64 octets, RFC 9711 §4.1.
    public func readEvidence(keyID: UInt32, nonce: [UInt8]) -> ChunkedRead {
        precondition((8...64).contains(nonce.count), "a nonce of \(nonce.count) octets")
        return ChunkedRead(
            self, command: Command.evidence, name: "evidence",
            parameters: ["kid": .unsigned(UInt64(keyID))], opening: ["nonce": .bytes(nonce)],
            maximumLength: ChunkedRead.maximumDocumentLength)
    }

    /// A CSR, RFC 2986, in DER, at most 4096 octets.
    public func readCSR(keyID: UInt32) -> ChunkedRead {
        ChunkedRead(
            self, command: Command.csr, name: "csr",
            parameters: ["kid": .unsigned(UInt64(keyID))],
            maximumLength: ChunkedRead.maximumDocumentLength)
    }

    /// A stored credential, at most 16384 octets. The digest comes along.
    public func readCredential(keyID: UInt32, type: UInt64) -> ChunkedRead {
        ChunkedRead(
            self, command: Command.credential, name: "credential",
            parameters: [
                "kid": .unsigned(UInt64(keyID)), "type": .unsigned(type),
            ],
            maximumLength: ChunkedRead.maximumCredentialLength)
    }
}
