internal import COpenSSL

/// Octets that must not be seen: a private key, a PIN.
///
/// They stand in one place, are zeroed on release, and no description, dump or mirror shows them.
public final class Secret: @unchecked Sendable {
    // Immutable after init.
    private let storage: UnsafeMutableRawBufferPointer
    /// How many octets the secret has.
    public let count: Int

    /// Lets `body` write up to `capacity` octets and say how many it wrote.
    public init<Failure: Error>(
        capacity: Int,
        initializingWith body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        do {
            count = min(try body(storage), capacity)
        } catch {
            Self.erase(storage)
            throw error
        }
        self.storage = storage
    }

    /// Copies `bytes`, whose own memory is the caller's to erase.
    public convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count) { buffer in
            buffer.copyBytes(from: bytes)
            return bytes.count
        }
    }

    deinit { Self.erase(storage) }

    /// Lends the octets for the length of the call. Do not keep a copy of them.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[..<count]))
    }

    private static func erase(_ storage: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "<redacted>" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
