/// Collects the parts of a long result, so that the system is called for many of them at once.
final class PartBuffer {
    private var octets: [UInt8] = []
    private let write: ([UInt8]) throws -> Void

    /// Octets: what a pipe of Linux takes at once.
    private static let length = 1 << 16

    /// - Parameter write: gets what was collected; it throws if the rest is in vain.
    init(_ write: @escaping ([UInt8]) throws -> Void) {
        self.write = write
        octets.reserveCapacity(2 * Self.length)
    }

    /// An error ends a listing: what came before it is shown all the same.
    deinit {
        if !octets.isEmpty { try? write(octets) }
    }

    /// - Parameter make: appends to what was collected.
    func append(_ make: (inout [UInt8]) throws -> Void) throws {
        try make(&octets)
        if octets.count >= Self.length { try flush() }
    }

    func flush() throws {
        // Once: what could not be written is not tried again.
        let whole = octets
        octets.removeAll(keepingCapacity: true)
        if !whole.isEmpty { try write(whole) }
    }
}
