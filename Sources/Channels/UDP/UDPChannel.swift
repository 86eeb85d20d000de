import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Datagrams to and from one device, one SMP message in each.
///
/// A name may have several addresses: until one of them has answered, what is sent goes to all, and the
/// first that answers is the device. Its sockets are connected, so the kernel drops whatever comes from
/// anybody else. Nothing says whether a datagram arrived; who asks repeats.
public final class UDPChannel: Channel {
    public let name: String
    private var peers: [UDPPeer]
    private let interruption: Interruption
    /// How long a device may have no port, because it starts.
    private let patience: Duration
    /// The same, once it has answered: it restarts.
    private let restartTime: Duration
    /// When nobody listening is an error.
    private var refusalDeadline: Deadline
    private var hasAnswered = false
    private var isClosed = false
    /// For any datagram.
    private var buffer = [UInt8](repeating: 0, count: maximumLength)

    /// Addresses of a name that are tried.
    private static let maximumPeerCount = 4
    /// No datagram is longer.
    private static let maximumLength = 65_536

    public var carriesDatagrams: Bool { true }

    /// Looks the name up, and sends nothing yet.
    ///
    /// - Parameters:
    ///   - timeout: for the name.
    ///   - patience: how long it may be that nobody listens: the device starts.
    ///   - restartTime: the same, of a device that has answered.
    /// - Throws: `.channelUnavailable` without an address in time, or without a way there.
    public init(
        _ endpoint: UDPEndpoint, within timeout: Duration, patience: Duration = .zero,
        restartTime: Duration = .seconds(1), interruption: Interruption
    ) throws(ProvisioningError) {
        name = endpoint.description
        self.interruption = interruption
        self.patience = patience
        self.restartTime = restartTime
        refusalDeadline = Deadline(within: patience)
        let found = try HostAddresses.find(
            endpoint.host, endpoint.port, until: Deadline(within: timeout), interruption)
        peers = []
        var failure = SystemError(EADDRNOTAVAIL)
        var next = found.list
        while let entry = next?.pointee, peers.count < Self.maximumPeerCount {
            next = entry.ai_next
            do {
                peers.append(try UDPPeer(entry))
            } catch {
                failure = error
            }
        }
        guard !peers.isEmpty else {
            throw ProvisioningError(
                .channelUnavailable, "no way to \(name): \(failure)", hint: "is there a network?")
        }
    }

    deinit { close() }

    /// One datagram, of which no more than `limit` bytes.
    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        let deadline = Deadline(within: timeout)
        repeat {
            try checkIsOpen()
            let entries = try Poll.wait(
                for: peers.map { Poll.Entry($0.descriptor, Poll.readable) }, until: deadline,
                interruption)
            for (index, entry) in entries.enumerated() where entry.isReady {
                let received = peers[index].receive(into: &buffer)
                switch received {
                case .success(0): continue
                case .success(let count):
                    choose(index)
                    return Array(buffer.prefix(min(count, limit)))
                case .failure(let error):
                    _ = try handle(error, of: index)
                }
                // Their list has changed.
                break
            }
        } while !deadline.isPast
        return []
    }

    /// One datagram.
    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try checkIsOpen()
        try interruption.check()
        for index in peers.indices.reversed() {
            guard let error = peers[index].send(bytes) else { continue }
            guard error.number != EMSGSIZE else {
                throw ProvisioningError(
                    .channelUnavailable, "\(bytes.count) bytes are no datagram to \(name): \(error)"
                )
            }
            // What an earlier datagram met keeps this one from being sent.
            if try handle(error, of: index) { _ = peers[index].send(bytes) }
        }
    }

    public func close() {
        isClosed = true
        peers = []
    }

    private func checkIsOpen() throws(ProvisioningError) {
        if isClosed { throw ProvisioningError(.channelClosed, "\(name): it was closed before") }
    }

    /// It is this one, and no other from now on.
    private func choose(_ index: Int) {
        peers = [peers[index]]
        hasAnswered = true
        // While it restarts, its port is closed for as long as a start takes.
        refusalDeadline = Deadline(within: max(patience, restartTime))
    }

    /// What a socket tells of a datagram that it sent before. Whether it is still one of the peers.
    private func handle(_ error: SystemError, of index: Int) throws(ProvisioningError) -> Bool {
        let isLoss = [EAGAIN, EINTR, ENOBUFS].contains(error.number)
        // Also without a network: a device may bring its own up as it starts.
        guard !isLoss, refusalDeadline.isPast else { return true }
        guard peers.count > 1 else {
            guard error.number == ECONNREFUSED else {
                throw ProvisioningError(
                    .channelUnavailable, "no way to \(name): \(error)",
                    hint: "is the device on the network, and is this its address?")
            }
            throw ProvisioningError(
                hasAnswered ? .channelClosed : .channelUnavailable,
                hasAnswered
                    ? "nobody listens on \(name) any more" : "nobody listens on \(name): \(error)",
                hint: "does the device run, and does its firmware serve SMP on this port?")
        }
        peers.remove(at: index)
        return false
    }
}

/// One address of a device.
private final class UDPPeer {
    let descriptor: Int32

    init(_ entry: addrinfo) throws(SystemError) {
        descriptor = socket(entry.ai_family, datagramSocketType, 0)
        guard descriptor >= 0 else { throw .last }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard chost_set_nonblocking(descriptor, true) == 0, let address = entry.ai_addr,
            connectDescriptor(descriptor, address, entry.ai_addrlen) == 0
        else {
            throw .last
        }
    }

    deinit { closeDescriptor(descriptor) }

    /// The length of a datagram.
    func receive(into buffer: inout [UInt8]) -> Result<Int, SystemError> {
        let count = buffer.withUnsafeMutableBytes {
            readBytes(descriptor, $0.baseAddress, $0.count)
        }
        return count < 0 ? .failure(.last) : .success(count)
    }

    /// Nil if it was sent.
    func send(_ bytes: [UInt8]) -> SystemError? {
        let count = bytes.withUnsafeBytes { chost_send(descriptor, $0.baseAddress, $0.count) }
        return count < 0 ? .last : nil
    }
}
