public import Provisioning

extension GDBFlasher {
    /// The device's channel through the connection that also flashes: a probe takes one client.
    ///
    /// - Parameters:
    ///   - image: what another tool flashed, and runs now: it may say where its control block is. What this
    ///     flasher wrote is known, and nil is anything else.
    ///   - timeout: for finding the control block, now and after each reset.
    ///   - beforeDelivery: runs before the device's bytes are handed out.
    /// - Throws: `.probeUnavailable`; `.probeProtocol`; `.rttNotFound`; `.rttDamaged`.
    public func openRTT(
        _ settings: RTTSettings, of image: FirmwareImage? = nil, within timeout: Duration,
        beforeDelivery: @escaping RTTChannel.BeforeDelivery = { () throws(ProvisioningError) in }
    ) throws(ProvisioningError) -> RTTChannel {
        guard let first = settings.memory.first else {
            throw ProvisioningError(.rttNotFound, "there is no RAM to look for RTT in")
        }
        let memory = try GDBTargetMemory(connected(), trying: first.address & ~3)
        return try RTTChannel(
            memory, settings, locator: rttLocator ?? RTTLocator(settings, of: image),
            within: timeout, interruption: interruption, beforeDelivery: beforeDelivery)
    }

    /// Makes sure that what is found later is of `image`, which is about to start.
    func forgetRTT(before image: ELFImage, _ remote: GDBRemote) throws(ProvisioningError) {
        guard let settings = configuration.rtt else { return }
        let locator = try RTTLocator(settings, of: image)
        try locator.forget(in: HaltedMemory(remote))
        rttLocator = locator
    }
}

extension RTTLocator {
    /// - Throws: `.imageInvalid` for a symbol table that is none.
    init(_ settings: RTTSettings, of image: ELFImage) throws(ProvisioningError) {
        let symbol = try image.symbol(named: Self.symbol)
        self.init(
            settings, pointers: image.reader.is64 ? .bits64 : .bits32, address: symbol?.address)
    }

    /// Through all RAM for what is no ELF file, has no symbol, or is gone: another tool took it as it was.
    init(_ settings: RTTSettings, of image: FirmwareImage?) {
        guard let bytes = try? image?.readBytes(), let executable = try? ELFImage(bytes),
            let locator = try? RTTLocator(settings, of: executable)
        else {
            self.init(settings)
            return
        }
        self = locator
    }
}

/// Memory of a core that stays halted.
private final class HaltedMemory: TargetMemory {
    private let remote: GDBRemote
    var name: String { remote.name }
    var haltsCore: Bool { true }
    var requestLength: Int { remote.readLength }

    init(_ remote: GDBRemote) { self.remote = remote }

    func beginTransfer() {}
    func endTransfer() {}

    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        try remote.readMemory(at: address, count: count)
    }

    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        try remote.writeMemory(at: address, bytes)
    }
}
