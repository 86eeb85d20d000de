internal import CBOR

/// Writes a credential part by part: a sequence of calls, led by the offset that the device expects
/// next.
///
///     var upload = try contract.writeCredential(data, digest: digest, …)
///     while let call = upload.next() {
///         let (expectedOffset, attempts) = try perform(call)
///         try upload.accept(expectedOffset: expectedOffset, attempts: attempts)
///     }
///
/// The parts adapt to the line: a repeat has half the octets, for damage hits a short message less
/// often than a long one; each part that needs no repeat lets the next one grow.
///
/// Ends after a bounded number of steps whatever the device answers.
public struct CredentialUpload: Sendable {
    /// Octets.
    public static let maximumLength = 16384
    /// Octets. What goes along with a part is longer than that: shorter ones gain nothing.
    private static let leastChunkLength = 48
    /// Octets that a part grows by.
    private static let chunkLengthStep = 32

    private let contract: DeviceContract
    private let parameters: CBORMap
    private let data: [UInt8]
    private let digest: [UInt8]
    private let maximumChunkLength: Int
    /// Octets of the next part. A further upload to the same device begins with what this one learned.
    public private(set) var chunkLength: Int
    private var shortestChunkLength: Int
    private var offset = 0
    /// Octets that the device may have by now: it can't expect more than the next one.
    private var reachedLength = 0
    private var steps = 0

    init(
        _ contract: DeviceContract, parameters: CBORMap, data: [UInt8], digest: [UInt8],
        maximumChunkLength: Int, chunkLength: Int
    ) {
        self.contract = contract
        self.parameters = parameters
        self.data = data
        self.digest = digest
        self.maximumChunkLength = maximumChunkLength
        self.chunkLength = min(max(chunkLength, 1), maximumChunkLength)
        shortestChunkLength = self.chunkLength
    }

    /// Octets that the device has.
    public var progress: Int { offset }

    public var isComplete: Bool { offset == data.count }

    /// Once through, and once more from the start if the device lost its part, and lost answers.
    private var maximumSteps: Int {
        2 * ((data.count + shortestChunkLength - 1) / shortestChunkLength) + 8
    }

    /// The next call, whose answer is the offset that the device expects; nil when it has all.
    public mutating func next() -> SMPCall<Int>? {
        guard !isComplete else { return nil }
        reachedLength = max(reachedLength, min(offset + chunkLength, data.count))
        let total = data.count
        return SMPCall(
            write(chunkLength), repeats: repeatLengths.map { length in write(length) }
        ) { payload throws(SMPError) in
            try PayloadReader(payload, of: "credential").length("off", in: 0...total)
        }
    }

    /// Half, a quarter, … of the present length.
    private var repeatLengths: [Int] {
        var lengths: [Int] = []
        var length = chunkLength / 2
        while length >= Self.leastChunkLength {
            lengths.append(length)
            length /= 2
        }
        return lengths
    }

    private func write(_ length: Int) -> SMPRequest {
        var payload = parameters
        payload["off"] = .int(offset)
        payload["data"] = .bytes(Array(data[offset...].prefix(length)))
        if offset == 0 {
            payload["len"] = .int(data.count)
            payload["sha256"] = .bytes(digest)
        }
        return contract.write(DeviceContract.Command.credential, payload, isIdempotent: true)
    }

    /// Takes the answer of the latest call. Less than was sent means that a part was lost; more, in
    /// answer to the first part, that the device has the rest from an upload that broke off.
    ///
    /// - Parameter attempts: how many it took to get the answer.
    public mutating func accept(expectedOffset: Int, attempts: Int = 1) throws(SMPError) {
        adapt(attempts)
        steps += 1
        let limit = offset == 0 ? data.count : reachedLength
        guard (0...limit).contains(expectedOffset) else {
            throw .malformed("the device expects offset \(expectedOffset), it can have \(limit)")
        }
        reachedLength = max(reachedLength, expectedOffset)
        offset = expectedOffset
        guard isComplete || steps < maximumSteps else {
            throw .stalled(steps: steps, offset: offset)
        }
    }

    /// Multiplicative decrease, additive increase: RFC 5681 has it for the same reason.
    private mutating func adapt(_ attempts: Int) {
        let lengths = repeatLengths
        if attempts <= 1 {
            chunkLength = min(chunkLength + Self.chunkLengthStep, maximumChunkLength)
        } else if !lengths.isEmpty {
            chunkLength = lengths[min(attempts - 1, lengths.count) - 1]
        }
        shortestChunkLength = min(shortestChunkLength, chunkLength)
    }
}

extension DeviceContract {
    /// Stores `data` as the device's credential of `type`.
    ///
    /// `digest` is the SHA-256 of `data`, 32 octets; `chunkLength` the device's own limit;
    /// `firstChunkLength` what the line is known to carry, nil if nothing is known. Throws `.tooLong`
    /// above 16384 octets.
    ///
    /// - Precondition: `data` is not empty, `digest` has 32 octets, `chunkLength` is positive.
    public func writeCredential(
        _ data: [UInt8], digest: [UInt8], keyID: UInt32, type: UInt64, chunkLength: Int,
        firstChunkLength: Int? = nil
    ) throws(SMPError) -> CredentialUpload {
        precondition(!data.isEmpty && digest.count == 32 && chunkLength > 0)
        guard data.count <= CredentialUpload.maximumLength else {
            throw .tooLong(byteCount: data.count, limit: CredentialUpload.maximumLength)
        }
        return CredentialUpload(
            self,
            parameters: [
                "kid": .unsigned(UInt64(keyID)), "type": .unsigned(type),
            ],
            data: data, digest: digest, maximumChunkLength: chunkLength,
            chunkLength: firstChunkLength ?? chunkLength)
    }
}
