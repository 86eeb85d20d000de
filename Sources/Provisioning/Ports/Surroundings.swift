public import COSE

/// The clock and the dice, which the core takes from outside.
public struct Surroundings: Sendable {
    public let now: @Sendable () -> NumericDate
    /// As many unpredictable octets as asked for.
    public let randomBytes: @Sendable (Int) throws(ProvisioningError) -> [UInt8]

    public init(
        now: @escaping @Sendable () -> NumericDate,
        randomBytes: @escaping @Sendable (Int) throws(ProvisioningError) -> [UInt8]
    ) {
        self.now = now
        self.randomBytes = randomBytes
    }
}
