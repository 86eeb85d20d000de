public import Provisioning

/// What carries lines to an adapter and from it.
public protocol AdapterTransport: AnyObject {
    /// What messages call it.
    var name: String { get }

    /// - Parameter line: with its end.
    /// - Throws: `.adapterSilent` if it was not taken in time; `.adapterFailed` if nobody is there.
    func send(_ line: [UInt8], within timeout: Duration) throws(ProvisioningError)

    /// The next line, without its end; nil if none came in time.
    func receive(within timeout: Duration) throws(ProvisioningError) -> [UInt8]?

    /// Lets the adapter end, and makes it. Idempotent.
    func end()
}
