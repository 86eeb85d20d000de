import SMP

/// A session whose clock stands still, save for the waits that run out.
extension SMPSession {
    mutating func request(_ request: SMPRequest) -> [Effect] { self.request(request, at: .zero) }

    mutating func received(_ bytes: [UInt8]) -> [Effect] { received(bytes, at: .zero) }

    mutating func timedOut() -> [Effect] { timedOut(at: .zero) }
}
