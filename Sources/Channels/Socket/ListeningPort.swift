import CHost

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A TCP socket that is bound to one address, closed with this object and on exec. This process itself accepts
/// on it, without waiting; on a `ListeningSocket`, which has a name to be removed, a child does.
final class ListeningPort {
    let descriptor: Int32
    /// Its IP address: 4 or 16 octets.
    let address: [UInt8]

    init(_ address: addrinfo) throws(SystemError) {
        self.address = HostAddresses.octets(of: address)
        descriptor = socket(address.ai_family, streamSocketType, 0)
        guard descriptor >= 0 else { throw .last }
        // Whatever is thrown from here on, `deinit` cleans up.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let size = socklen_t(MemoryLayout<Int32>.size)
        var on: Int32 = 1
        // A connection of an earlier run that is still ending is in nobody's way.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if address.ai_family == AF_INET6 {
            // IPv4's is listened at by its own, or not at all.
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size)
        }
        guard chost_set_nonblocking(descriptor, true) == 0,
            bind(descriptor, address.ai_addr, address.ai_addrlen) == 0
        else { throw .last }
    }

    /// From now on, who connects waits to be accepted.
    func listen() throws(SystemError) {
        guard listenDescriptor(descriptor) == 0 else { throw .last }
    }

    deinit { if descriptor >= 0 { closeDescriptor(descriptor) } }

    /// The descriptor of who has connected to `listener`, non-blocking.
    static func accept(_ listener: Int32) throws(SystemError) -> Int32 {
        let client = acceptDescriptor(listener)
        guard client >= 0 else { throw .last }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        let error = chost_set_nonblocking(client, true)
        guard error == 0 else {
            closeDescriptor(client)
            throw SystemError(error)
        }
        return client
    }
}
