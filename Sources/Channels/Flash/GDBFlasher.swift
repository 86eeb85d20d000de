import CBOR
public import Attestation
import OpenSSL
public import Provisioning

/// Flashes through a GDB server: writes the image's segments, reads them back, compares, resets and runs.
///
/// It writes memory, so it suits emulators and servers that map flash as memory; it knows no flash
/// algorithm. One connection serves flashing, reading the ID and RTT, with the core running in
/// between; `close` lets it go.
public final class GDBFlasher: Flasher, DeviceIDReader {
    public struct Configuration: Sendable, Hashable {
        public var endpoint: ProbeEndpoint
        /// What resets the core: `system_reset` for QEMU, `reset halt` for OpenOCD.
        public var resetCommand: String
        /// Where keys and credentials are: filled with 0xFF when erasing is asked for.
        public var eraseRegions: [AddressRange]
        /// Where the chip's ID is, if the probe can read it.
        public var deviceID: DeviceIDLocation?
        /// Where RTT is, if the firmware has it: flashing makes sure that nothing is left of earlier
        /// firmware's.
        public var rtt: RTTSettings?
        public var connectTimeout: Duration
        public var replyTimeout: Duration
        /// For an image, with erasing and reading back.
        public var flashTimeout: Duration
        /// The server was only just started.
        public var waitsUntilListening: Bool

        public init(
            endpoint: ProbeEndpoint, resetCommand: String = "system_reset",
            eraseRegions: [AddressRange] = [], deviceID: DeviceIDLocation? = nil,
            rtt: RTTSettings? = nil,
            connectTimeout: Duration = .seconds(5), replyTimeout: Duration = .seconds(5),
            flashTimeout: Duration = .seconds(120),
            waitsUntilListening: Bool = false
        ) {
            self.endpoint = endpoint
            self.resetCommand = resetCommand
            self.eraseRegions = eraseRegions
            self.deviceID = deviceID
            self.rtt = rtt
            self.connectTimeout = connectTimeout
            self.replyTimeout = replyTimeout
            self.flashTimeout = flashTimeout
            self.waitsUntilListening = waitsUntilListening
        }
    }

    public typealias ProgressHandler = (FlashProgress) -> Void

    let configuration: Configuration
    let interruption: Interruption
    private let progress: ProgressHandler?
    private var remote: GDBRemote?
    /// Called with the image written and the core at its start: who must not miss the firmware's first words listens
    /// from here on.
    public var beforeStart: () throws(ProvisioningError) -> Void = {}
    /// Where the image that was flashed has its RTT.
    var rttLocator: RTTLocator?

    /// Connects when it is first used.
    public init(
        _ configuration: Configuration, interruption: Interruption,
        progress: ProgressHandler? = nil
    ) {
        self.configuration = configuration
        self.interruption = interruption
        self.progress = progress
    }

    deinit { close() }

    /// Detaches; the core runs. Idempotent, and a later use connects again.
    public func close() {
        remote?.close()
        remote = nil
    }

    /// What was flashed was read back, and the receipt is of the same bytes: the file does not matter any
    /// more.
    public func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
    }

    /// - Throws: `.imageInvalid`; `.probeUnavailable`; `.probeProtocol`; `.flashFailed` when a write is
    ///   refused, or it takes too long; `.flashMismatch` naming the first address that differs, and both bytes.
    public func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError)
        -> FlashReceipt
    {
        let file = try image.readBytes(limit: ELFImage.maximumFileSize)
        let executable = try ELFImage(file)
        guard !erasing || !configuration.eraseRegions.isEmpty else {
            throw ProvisioningError(
                .flashFailed, "erasing was asked for, the platform names no region to erase",
                hint: "name the regions of its key store in the platform file")
        }
        try checkKeysAreSpared(by: executable)
        try whileHalted { remote throws(ProvisioningError) in
            try withinFlashTimeout(remote) { () throws(ProvisioningError) in
                try checkMachine(of: executable, remote)
                if erasing { try erase(remote) }
                try write(executable, remote)
                try verify(executable, remote)
                try remote.reset(with: configuration.resetCommand)
                try forgetRTT(before: executable, remote)
            }
            try beforeStart()
        }
        return FlashReceipt(
            digest: SHA256.hash(file), byteCount: executable.byteCount, isVerified: true)
    }

    /// - Throws: `.probeUnavailable` if the platform names no place for it; else as `flash`.
    public func readDeviceID() throws(ProvisioningError) -> DeviceID {
        guard let location = configuration.deviceID else {
            throw ProvisioningError(
                .probeUnavailable, "the platform does not say where the chip's ID is")
        }
        var bytes: [UInt8] = []
        try whileHalted { remote throws(ProvisioningError) in
            for region in location.regions {
                bytes += try remote.readMemory(
                    at: region.address, count: region.length, width: location.width)
            }
        }
        guard let id = DeviceID(location.id(from: bytes)) else {
            throw ProvisioningError(
                .probeProtocol, "\(location) are no device ID: it has 1 to 64 octets",
                hint: "correct where the platform file says that the ID is")
        }
        return id
    }

    /// The core runs afterwards. After an error the connection is dropped, which detaches.
    private func whileHalted(_ body: (GDBRemote) throws(ProvisioningError) -> Void)
        throws(ProvisioningError)
    {
        do {
            let remote = try connected()
            try remote.halt()
            try body(remote)
            try remote.resume()
        } catch {
            close()
            throw error
        }
    }

    /// Each answer may come in time, and all of them too late.
    private func withinFlashTimeout(
        _ remote: GDBRemote, _ body: () throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        let limit = Deadline(within: configuration.flashTimeout)
        remote.limit = limit
        // Letting go of the core has a time of its own.
        defer { remote.limit = .never }
        do {
            try body()
        } catch {
            guard error.code == .probeUnavailable, limit.isPast else { throw error }
            throw ProvisioningError(
                .flashFailed,
                "\(remote.name) took longer than \(configuration.flashTimeout.brief): \(error.reason)",
                hint:
                    "is the probe that slow? then raise flash-ms in [timeouts] of the platform file"
            )
        }
    }

    func connected() throws(ProvisioningError) -> GDBRemote {
        if let remote { return remote }
        let new = try GDBRemote.connect(
            to: configuration.endpoint, within: configuration.connectTimeout,
            replyTimeout: configuration.replyTimeout,
            untilListening: configuration.waitsUntilListening, interruption: interruption)
        remote = new
        return new
    }

    // MARK: Before anything is written

    /// An image for another processor would only fail to start.
    private func checkMachine(of image: ELFImage, _ remote: GDBRemote) throws(ProvisioningError) {
        guard let architecture = try remote.architecture(),
            let target = ELFMachine(architecture: architecture), target.rawValue != image.machine
        else { return }
        throw ProvisioningError(
            .imageInvalid,
            "the firmware image is for \(ELFMachine.name(of: image.machine)), "
                + "the probe is attached to \(target.name)",
            hint: "build it for this board, or choose the image's own --platform")
    }

    /// An image that reaches into the key store would take the device's keys away unasked.
    private func checkKeysAreSpared(by image: ELFImage) throws(ProvisioningError) {
        for segment in image.segments {
            for region in configuration.eraseRegions
            where segment.address < region.address + UInt64(region.length)
                && region.address < segment.end
            {
                throw ProvisioningError(
                    .imageInvalid,
                    "the firmware image has \(segment.bytes.count) bytes at "
                        + "\(segment.address.addressNotation), and the platform keeps keys in "
                        + "\(region)",
                    hint: "is the image linked for this board?")
            }
        }
    }

    // MARK: Phases

    private func erase(_ remote: GDBRemote) throws(ProvisioningError) {
        let total = configuration.eraseRegions.reduce(0) { $0 + $1.length }
        var before = 0
        for region in configuration.eraseRegions {
            let blank = repeatElement(UInt8(0xff), count: region.length)
            try write(blank, at: region.address, remote) { done in
                report(.erase, before + done, of: total)
            }
            try compare(blank, at: region.address, remote, isErased: true) { _ in }
            before += region.length
        }
    }

    private func write(_ image: ELFImage, _ remote: GDBRemote) throws(ProvisioningError) {
        var before = 0
        for segment in image.segments {
            try write(segment.bytes, at: segment.address, remote) { done in
                report(.write, before + done, of: image.byteCount)
            }
            before += segment.bytes.count
        }
    }

    private func verify(_ image: ELFImage, _ remote: GDBRemote) throws(ProvisioningError) {
        var before = 0
        for segment in image.segments {
            try compare(segment.bytes, at: segment.address, remote, isErased: false) { done in
                report(.verify, before + done, of: image.byteCount)
            }
            before += segment.bytes.count
        }
    }

    private func write(
        _ bytes: some RandomAccessCollection<UInt8>, at address: UInt64, _ remote: GDBRemote,
        progress: (Int) -> Void
    ) throws(ProvisioningError) {
        do {
            try remote.writeMemory(at: address, bytes, progress: progress)
        } catch {
            guard error.code == .probeProtocol else { throw error }
            throw ProvisioningError(
                .flashFailed,
                "\(bytes.count) bytes at \(address.addressNotation): \(error.reason)",
                hint: "is the image linked for this board?")
        }
    }

    /// Reads in blocks, so that progress shows and a mismatch is found early.
    private static let verifyBlock = 1 << 15

    private func compare(
        _ bytes: some RandomAccessCollection<UInt8>, at address: UInt64, _ remote: GDBRemote,
        isErased: Bool, progress: (Int) -> Void
    ) throws(ProvisioningError) {
        var rest = bytes[...]
        var start = address
        while !rest.isEmpty {
            let block = rest.prefix(Self.verifyBlock)
            let found = try readBack(at: start, count: block.count, remote)
            for (offset, pair) in zip(block, found).enumerated() where pair.0 != pair.1 {
                throw ProvisioningError(
                    .flashMismatch,
                    "\((start + UInt64(offset)).addressNotation) reads back as "
                        + "0x\([pair.1].hexadecimal), "
                        + "\(isErased ? "erased" : "the image") is 0x\([pair.0].hexadecimal)",
                    hint: "is there flash at this address, and is it unlocked?")
            }
            rest = rest.dropFirst(block.count)
            start += UInt64(block.count)
            progress(Int(start - address))
        }
    }

    private func readBack(at address: UInt64, count: Int, _ remote: GDBRemote)
        throws(ProvisioningError) -> [UInt8]
    {
        do {
            return try remote.readMemory(at: address, count: count)
        } catch {
            guard error.code == .probeProtocol else { throw error }
            throw ProvisioningError(
                .flashFailed, "no reading back at \(address.addressNotation): \(error.reason)",
                hint: "is the image linked for this board?")
        }
    }

    private func report(_ phase: FlashProgress.Phase, _ done: Int, of total: Int) {
        progress?(FlashProgress(phase: phase, done: done, total: total))
    }
}
