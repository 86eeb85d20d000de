package import Provisioning

/// A target's memory, through a debug probe.
///
/// Callers: bracket transfers with `beginTransfer` and `endTransfer`; the core may stand still in between.
///
/// Implementers: transfer exactly what was asked for, or throw `.probeProtocol` if the probe refuses and
/// `.probeUnavailable` if it is gone. Between `endTransfer` and `beginTransfer` the core runs.
package protocol TargetMemory: AnyObject {
    /// What the user calls it: the probe's address.
    var name: String { get }
    /// Whether the core stands still during transfers.
    var haltsCore: Bool { get }
    /// Bytes that one request to the probe reads at the most.
    var requestLength: Int { get }

    func beginTransfer() throws(ProvisioningError)
    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8]
    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError)
    func endTransfer() throws(ProvisioningError)
    /// Writes a little-endian word last, in one access. The core may run before the probe says that it was written,
    /// and also if it says that it was not.
    func endTransfer(writing word: UInt32, at address: UInt64) throws(ProvisioningError)
}

extension TargetMemory {
    func transfer<Result>(_ body: () throws(ProvisioningError) -> Result)
        throws(ProvisioningError) -> Result
    {
        try beginTransfer()
        let result = try body()
        try endTransfer()
        return result
    }

    /// Little-endian, in one access.
    func write(word: UInt32, at address: UInt64) throws(ProvisioningError) {
        try write(at: address, word.littleEndianBytes)
    }

    package func endTransfer(writing word: UInt32, at address: UInt64) throws(ProvisioningError) {
        try write(word: word, at: address)
        try endTransfer()
    }
}

extension UInt32 {
    var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}
