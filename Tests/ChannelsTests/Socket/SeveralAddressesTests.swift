import Foundation
import Provisioning
import Testing

@testable import Channels

/// A name that stands for several addresses, as those of most machines do: what is wrong with one of them does
/// not take the others their time.
@Suite struct SeveralAddressesTests {
    private let interruption: Interruption

    init() throws { interruption = try Interruption() }

    private static let endpoint = ProbeEndpoint.tcp(host: "board", port: 1)

    /// IPv6 first, as resolvers sort them, where this machine has it.
    private static let firstHosts = ["::1", "127.0.0.2"].filter {
        (try? LoopbackListener($0)) != nil
    }

    private func connect(
        to addresses: [(host: String, port: UInt16)], within timeout: Duration
    ) throws(ProvisioningError) -> Int32 {
        try Socket.connect(
            to: Self.endpoint, within: timeout, untilListening: false, interruption,
            resolver: { _, _ in Self.answer(addresses) })
    }

    @Test(arguments: firstHosts) func oneThatIsSilentLeavesTheNextItsPart(_ host: String) throws {
        let silent = try LoopbackListener(host, isFull: true)
        let live = try LoopbackListener("127.0.0.1")
        let start = ContinuousClock.now
        let descriptor = try connect(to: [silent.address, live.address], within: .seconds(12))
        defer { close(descriptor) }
        let time = ContinuousClock.now - start
        #expect(peerPort(of: descriptor) == live.address.port)
        // Half of it each. All but half a second of the second half is room for a busy machine.
        #expect(time >= .seconds(5.9) && time < .seconds(11.5), "\(time)")
    }

    /// What a closed one leaves is for all behind it, and nobody behind an open one is asked.
    @Test(arguments: firstHosts) func oneThatIsClosedTakesNoTime(_ host: String) throws {
        let closed = try LoopbackListener(host).address
        let live = try LoopbackListener("127.0.0.1")
        let silent = try LoopbackListener("127.0.0.1", isFull: true)
        let start = ContinuousClock.now
        let descriptor = try connect(
            to: [closed, live.address, silent.address], within: .seconds(60))
        defer { close(descriptor) }
        #expect(peerPort(of: descriptor) == live.address.port)
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    /// They share the time: none of them has it for itself.
    @Test func allAreSilent() throws {
        let silent = try ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map {
            try LoopbackListener($0, isFull: true)
        }
        let start = ContinuousClock.now
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try connect(to: silent.map(\.address), within: .seconds(6))
        }
        let time = ContinuousClock.now - start
        #expect(time >= .seconds(5.9) && time < .seconds(17.5), "\(time)")
        #expect(error?.reason.hasPrefix("no connection to tcp:board:1: ") == true)
        #expect(error?.hint != nil)
    }

    /// One list, as getaddrinfo makes it of several addresses.
    private static func answer(
        _ addresses: [(host: String, port: UInt16)]
    ) -> HostAddresses.Answer {
        var list: UnsafeMutablePointer<addrinfo>?
        for address in addresses.reversed() {
            guard let entry = numeric(address.host, address.port) else { continue }
            entry.pointee.ai_next = list
            list = entry
        }
        return HostAddresses.Answer(status: list == nil ? EAI_NONAME : 0, list: list)
    }

    private func peerPort(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &address) { bytes in
            getpeername(
                descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        return status == 0 ? port(in: address) : nil
    }
}

/// Listens on an address of this computer, at a port of its own.
private final class LoopbackListener {
    let address: (host: String, port: UInt16)
    private let listener: Int32
    private var callers: [Int32] = []

    /// - Parameter isFull: whether its queue takes nobody any more: Linux says nothing then to who knocks, as a
    ///   host does that isn't there.
    init(_ host: String, isFull: Bool = false) throws {
        let entry = try #require(numeric(host, 0), "\(host) is no address")
        defer { freeaddrinfo(entry) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(entry.pointee.ai_family, kind, 0)
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &bound) { bytes in
            let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
            return bind(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0
                && listen(descriptor, isFull ? 0 : 8) == 0
                && getsockname(descriptor, address, &size) == 0
        }
        guard status else {
            close(descriptor)
            throw POSIXError(.EADDRNOTAVAIL)
        }
        listener = descriptor
        address = (host, port(in: bound))
        guard isFull else { return }
        while try isCallerTaken() {
            try #require(callers.count < 16, "the queue of \(host) takes everybody")
        }
    }

    deinit { for descriptor in callers + [listener] { close(descriptor) } }

    private func isCallerTaken() throws -> Bool {
        let entry = try #require(numeric(address.host, address.port))
        defer { freeaddrinfo(entry) }
        let kind = Int32(
            SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let caller = socket(entry.pointee.ai_family, kind, 0)
        callers.append(caller)
        _ = Glibc.connect(caller, entry.pointee.ai_addr, entry.pointee.ai_addrlen)
        var poll = pollfd(fd: caller, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, 100) > 0
    }
}

/// To be freed by freeaddrinfo. Nil: not an address in numbers.
private func numeric(_ host: String, _ port: UInt16) -> UnsafeMutablePointer<addrinfo>? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICHOST
    var list: UnsafeMutablePointer<addrinfo>?
    return getaddrinfo(host, String(port), &hints, &list) == 0 ? list : nil
}

/// Of IPv4 and IPv6, which have it in one place.
private func port(in address: sockaddr_storage) -> UInt16 {
    withUnsafeBytes(of: address) { UInt16($0[2]) << 8 | UInt16($0[3]) }
}
