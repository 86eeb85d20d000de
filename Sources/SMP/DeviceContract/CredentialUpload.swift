internal import CBOR

/// Writes a credential part by part: a sequence of calls, led by the offset that the device expects
/// next.
///
///     var upload = try contract.writeCredential(data, digest: digest, …)
///     while let call = upload.next() { try upload.accept(expectedOffset: perform(call)) }
///
/// Ends after a bounded number of steps whatever the device answers.
public struct CredentialUpload: Sendable {
    /// Octets.
    public static let maximumLength = 16384

    private let contract: DeviceContract
    private let parameters: CBORMap
    private let data: [UInt8]
    private let digest: [UInt8]
    private let chunkLength: Int
    private var offset = 0
    /// Octets that the device may have by now: it can't expect more than the next one.
    private var reachedLength = 0
    private var steps = 0

    init(
        _ contract: DeviceContract, parameters: CBORMap, data: [UInt8], digest: [UInt8],
        chunkLength: Int
    ) {
        self.contract = contract
        self.parameters = parameters
        self.data = data
        self.digest = digest
        self.chunkLength = chunkLength
    }

    /// Octets that the device has.
    public var progress: Int { offset }

    public var isComplete: Bool { offset == data.count }

    /// Once through, and once more from the start if the device lost its part, and lost answers.
    private var maximumSteps: Int { 2 * ((data.count + chunkLength - 1) / chunkLength) + 8 }

    /// The next call, whose answer is the offset that the device expects; nil when it has all.
    public mutating func next() -> SMPCall<Int>? {
        guard !isComplete else { return nil }
        let part = data[offset...].prefix(chunkLength)
        var payload = parameters
        payload["off"] = .int(offset)
        payload["data"] = .bytes(Array(part))
        if offset == 0 {
            payload["len"] = .int(data.count)
            payload["sha256"] = .bytes(digest)
        }
        reachedLength = max(reachedLength, part.endIndex)
        let total = data.count
        return SMPCall(
            contract.write(DeviceContract.Command.credential, payload)
        ) { payload throws(SMPError) in
            try PayloadReader(payload, of: "credential").length("off", in: 0...total)
        }
    }

    /// Takes the answer of the latest call. Less than was sent means that a part was lost; more, in
    /// answer to the first part, that the device has the rest from an upload that broke off.
    public mutating func accept(expectedOffset: Int) throws(SMPError) {
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
}

extension DeviceContract {
    /// Stores `data` as the device's credential of `type`.
    ///
    /// `digest` is the SHA-256 of `data`, 32 octets; `chunkLength` the device's own limit. Throws
    /// `.tooLong` above 16384 octets.
    ///
    /// - Precondition: `data` is not empty, `digest` has 32 octets, `chunkLength` is positive.
    public func writeCredential(
        _ data: [UInt8], digest: [UInt8], keyID: UInt32, type: UInt64, chunkLength: Int
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
            data: data, digest: digest, chunkLength: chunkLength)
    }
}
