import Provisioning

/// Memory through a GDB server, whether it halts the core for every look or not.
final class GDBTargetMemory: TargetMemory {
    private let remote: GDBRemote

    /// Finds out whether the server reads while the core runs, by asking it for the word at `address`. The
    /// core runs afterwards.
    init(_ remote: GDBRemote, trying address: UInt64) throws(ProvisioningError) {
        self.remote = remote
        remote.leavesCoreRunning = try remote.readsWhileRunning(at: address)
    }

    deinit { remote.leavesCoreRunning = false }

    var name: String { remote.name }
    var haltsCore: Bool { !remote.leavesCoreRunning }
    var requestLength: Int { remote.readLength }

    func beginTransfer() throws(ProvisioningError) {
        if haltsCore { try remote.halt() }
    }

    /// Also has a core go on that stopped by itself meanwhile: nobody is there to look why.
    func endTransfer() throws(ProvisioningError) { try remote.resume() }

    func endTransfer(writing word: UInt32, at address: UInt64) throws(ProvisioningError) {
        try remote.resume(writing: word.littleEndianBytes, at: address)
    }

    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        try remote.readMemory(at: address, count: count)
    }

    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        try remote.writeMemory(at: address, bytes)
    }
}
