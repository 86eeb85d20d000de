public import Attestation
import PlatformAdapter
public import Provisioning

/// A device's bytes, by way of an adapter.
public final class AdapterChannel: Channel {
    public var name: String { "\(session.name)\(port.map { " (\($0))" } ?? "")" }
    private let session: AdapterSession
    private let port: String?

    /// Opens the device's channel. The session may be used for nothing else until it is closed.
    ///
    /// - Parameters:
    ///   - port: what the user named, for messages.
    ///   - isFlashed: this session flashed the board, which may only be starting.
    ///   - timeout: nil: as long as the session's connections may take.
    public init(
        _ session: AdapterSession, port: String?, isFlashed: Bool, within timeout: Duration? = nil
    ) throws(ProvisioningError) {
        self.session = session
        self.port = port
        try session.open(isFlashed: isFlashed, within: timeout)
    }

    deinit { close() }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        try session.read(atMost: limit, within: timeout)
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try session.write(bytes, within: timeout)
    }

    public func close() { session.close() }
}

/// Flashes by way of an adapter.
public struct AdapterFlasher: Flasher {
    private let session: AdapterSession
    private let progress: (Int, Int) -> Void

    /// - Parameter progress: bytes that are written, of how many; 0 where the adapter does not know.
    public init(_ session: AdapterSession, progress: @escaping (Int, Int) -> Void = { _, _ in }) {
        self.session = session
        self.progress = progress
    }

    /// The digest is of the file as the adapter could read it: if that changes meanwhile, flashing failed.
    ///
    /// - Throws: what the adapter says; `.flashFailed` also if it ends meanwhile.
    public func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError)
        -> FlashReceipt
    {
        guard !erasing || session.abilities.contains(.erase) else {
            throw ProvisioningError(
                .flashFailed, "erasing was asked for, and \(session.name) can't erase",
                hint: "flash without --erase; the device keeps its key then")
        }
        let digest = try image.digest()
        let written: (byteCount: Int?, isVerified: Bool)
        do {
            written = try session.flash(image.path, erasing: erasing, progress: progress)
        } catch {
            // Whatever the board holds now, it is not the image.
            guard error.code == .adapterFailed else { throw error }
            throw ProvisioningError(.flashFailed, error.reason, hint: error.hint)
        }
        let receipt = FlashReceipt(
            digest: digest, byteCount: written.byteCount, isVerified: written.isVerified)
        try check(image, is: receipt)
        return receipt
    }

    public func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try image?.check(is: receipt)
    }
}

/// Has an adapter read the device ID without the firmware's help.
public struct AdapterIDReader: DeviceIDReader {
    private let session: AdapterSession

    public init(_ session: AdapterSession) { self.session = session }

    public func readDeviceID() throws(ProvisioningError) -> DeviceID {
        let text = try session.identify()
        guard text.utf8.count <= 128, let id = DeviceID(hexadecimal: text) else {
            // With the white space that is wrong about it.
            let start = String(reflecting: String(text.unicodeScalars.prefix(64)))
            let dots = text.unicodeScalars.count > 64 ? "…" : ""
            throw ProvisioningError(
                .adapterProtocol,
                "\(session.name) reads the device ID \(PlainText.sanitized(start.utf8))\(dots), "
                    + "not 1 to 64 bytes in hexadecimal",
                hint: "provision check \(session.name) shows what it does wrong")
        }
        return id
    }
}
