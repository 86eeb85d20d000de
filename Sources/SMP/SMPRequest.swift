public import CBOR

/// What is asked of a device.
public struct SMPRequest: Hashable, Sendable {
    public let operation: SMPOperation
    public let group: UInt16
    public let command: UInt8
    public let payload: CBORMap
    /// Whether the device may execute it twice: false where a repeat after a lost answer would
    /// leave something behind.
    public let isRepeatable: Bool
    /// Whether it is the same to execute it once or more often, so that the answer to any attempt is
    /// the answer. Otherwise each attempt may replace what the one before made, and only the answer to
    /// the last one counts.
    public let isIdempotent: Bool

    public init(
        _ operation: SMPOperation, group: UInt16, command: UInt8, payload: CBORMap = [:],
        isRepeatable: Bool = true, isIdempotent: Bool = false
    ) {
        self.operation = operation
        self.group = group
        self.command = command
        self.payload = payload
        self.isRepeatable = isRepeatable
        self.isIdempotent = isIdempotent
    }
}

/// A request together with the reading of its answer.
public struct SMPCall<Answer: Sendable>: Sendable {
    public let request: SMPRequest
    /// What to send at repeats instead, if not the same: see `SMPSession.request`.
    public let repeats: [SMPRequest]
    /// The answer in the payload of a response that is no error; throws `.malformed`.
    public let answer: @Sendable (CBORMap) throws(SMPError) -> Answer

    public init(
        _ request: SMPRequest, repeats: [SMPRequest] = [],
        answer: @escaping @Sendable (CBORMap) throws(SMPError) -> Answer
    ) {
        self.request = request
        self.repeats = repeats
        self.answer = answer
    }
}
