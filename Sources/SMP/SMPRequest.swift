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

    public init(
        _ operation: SMPOperation, group: UInt16, command: UInt8, payload: CBORMap = [:],
        isRepeatable: Bool = true
    ) {
        self.operation = operation
        self.group = group
        self.command = command
        self.payload = payload
        self.isRepeatable = isRepeatable
    }
}

/// A request together with the reading of its answer.
public struct SMPCall<Answer: Sendable>: Sendable {
    public let request: SMPRequest
    /// The answer in the payload of a response that is no error; throws `.malformed`.
    public let answer: @Sendable (CBORMap) throws(SMPError) -> Answer

    public init(
        _ request: SMPRequest,
        answer: @escaping @Sendable (CBORMap) throws(SMPError) -> Answer
    ) {
        self.request = request
        self.answer = answer
    }
}
