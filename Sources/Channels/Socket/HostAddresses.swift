import CHost
import Foundation
import Provisioning
import Synchronization

/// What the system's resolver knows of a host and a port.
///
/// getaddrinfo knows no deadline and hears no signal, and a name server that is not there takes it half a
/// minute. So it runs on a thread of its own, which is left to itself when nobody waits any more.
final class HostAddresses: Sendable {
    /// getaddrinfo, or what a test has in its place: a status, and a list to be freed by freeaddrinfo.
    typealias Resolver = @Sendable (_ host: String, _ port: UInt16) -> Answer

    struct Answer: @unchecked Sendable {
        let status: Int32
        let list: UnsafeMutablePointer<addrinfo>?
    }

    /// This machine's.
    static let system: Resolver = { resolve($0, $1, flags: 0) }

    private let answer: Answer

    var list: UnsafeMutablePointer<addrinfo>? { answer.list }

    var count: Int {
        var count = 0
        var next = list
        while let entry = next?.pointee {
            count += 1
            next = entry.ai_next
        }
        return count
    }

    /// The IP address of an entry: 4 or 16 octets, none of another kind.
    static func octets(of entry: addrinfo) -> [UInt8] {
        guard let address = entry.ai_addr else { return [] }
        let raw = UnsafeRawPointer(address)
        switch entry.ai_family {
        case AF_INET:
            return withUnsafeBytes(of: raw.load(as: sockaddr_in.self).sin_addr) { Array($0) }
        case AF_INET6:
            return withUnsafeBytes(of: raw.load(as: sockaddr_in6.self).sin6_addr) { Array($0) }
        default: return []
        }
    }

    private init(_ answer: Answer) { self.answer = answer }

    deinit { if let list { freeaddrinfo(list) } }

    /// - Throws: `.channelUnavailable` without an address before `deadline`; `.interrupted`.
    static func find(
        _ host: String, _ port: UInt16, until deadline: Deadline, _ interruption: Interruption,
        resolver: @escaping Resolver = system
    ) throws(ProvisioningError) -> HostAddresses {
        // Numbers take no name server.
        let numeric = HostAddresses(resolve(host, port, flags: AI_NUMERICHOST))
        if numeric.answer.status == 0 { return numeric }
        let lookup = try Lookup { resolver(host, port) }
        guard try Poll.wait(lookup.descriptor, for: Poll.readable, until: deadline, interruption),
            let found = lookup.found
        else {
            throw ProvisioningError(
                .channelUnavailable, "no address for \(host): no answer in time",
                hint: "is there a network, and a name server? or give the address in numbers")
        }
        guard found.answer.status == 0 else {
            throw ProvisioningError(
                .channelUnavailable,
                "no address for \(host): \(String(cString: gai_strerror(found.answer.status)))",
                hint: "is the name right?")
        }
        return found
    }

    private static func resolve(_ host: String, _ port: UInt16, flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = streamSocketType
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        return Answer(status: status, list: status == 0 ? list : nil)
    }

    /// One call, kept by its thread and by who waits for it, so that it ends with the later of them.
    private final class Lookup: Sendable {
        /// Readable when there is an answer.
        let descriptor: Int32
        private let trigger: Int32
        private let result = Mutex<HostAddresses?>(nil)

        init(_ body: @escaping @Sendable () -> Answer) throws(ProvisioningError) {
            var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
            let error = chost_pipe(&readEnd, &writeEnd, true)
            guard error == 0 else {
                throw ProvisioningError(.internalFailure, "no pipe: \(SystemError(error))")
            }
            (descriptor, trigger) = (readEnd, writeEnd)
            Thread.detachNewThread { [self] in
                let found = HostAddresses(body())
                result.withLock { $0 = found }
                var byte: UInt8 = 0
                _ = writeBytes(trigger, &byte, 1)
            }
        }

        deinit {
            closeDescriptor(descriptor)
            closeDescriptor(trigger)
        }

        var found: HostAddresses? { result.withLock { $0 } }
    }
}
