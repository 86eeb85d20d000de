import CHost
import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Connecting with a deadline.
enum Socket {
    /// A connected, non-blocking descriptor that is closed on exec.
    ///
    /// - Parameters:
    ///   - failed: called after each attempt behind which there is another one.
    ///   - resolver: what knows a host's addresses.
    static func connect(
        to endpoint: ProbeEndpoint, within timeout: Duration, untilListening: Bool,
        _ interruption: Interruption, failed: () -> Void = {},
        resolver: @escaping HostAddresses.Resolver = HostAddresses.system
    ) throws(ProvisioningError) -> Int32 {
        let deadline = Deadline(within: timeout)
        while true {
            let failure: SystemError
            do {
                return try attempt(endpoint, resolver, until: deadline, interruption)
            } catch let error {
                guard let cause = error.cause else { throw error.error }
                failure = cause
            }
            let mayStillCome = [ENOENT, ECONNREFUSED, EAGAIN].contains(failure.number)
            guard untilListening && mayStillCome && !deadline.isPast else {
                throw ProvisioningError(
                    .channelUnavailable, "no connection to \(endpoint): \(failure)",
                    hint: "is its server running?")
            }
            failed()
            try interruption.pause(for: .milliseconds(10))
        }
    }

    /// Why one attempt failed: a system error that a later attempt may not meet, or something final.
    private struct Failure: Error {
        var cause: SystemError?
        var error: ProvisioningError

        init(_ cause: SystemError) {
            self.cause = cause
            error = ProvisioningError(.channelUnavailable, "\(cause)")
        }

        init(_ error: ProvisioningError) { self.error = error }
    }

    private static func attempt(
        _ endpoint: ProbeEndpoint, _ resolver: @escaping HostAddresses.Resolver,
        until deadline: Deadline, _ interruption: Interruption
    ) throws(Failure) -> Int32 {
        switch endpoint {
        case .unix(let path):
            return try connectUnix(path, until: deadline, interruption)
        case .tcp(let host, let port):
            return try connectTCP(host, port, resolver, until: deadline, interruption)
        }
    }

    private static func connectUnix(
        _ path: String, until deadline: Deadline, _ interruption: Interruption
    ) throws(Failure) -> Int32 {
        guard let address = UnixAddress(path) else { throw Failure(SystemError(ENAMETOOLONG)) }
        return try address.withPointer { pointer, size throws(Failure) in
            try open(AF_UNIX, pointer, size, until: deadline, interruption)
        }
    }

    private static func connectTCP(
        _ host: String, _ port: UInt16, _ resolver: @escaping HostAddresses.Resolver,
        until deadline: Deadline, _ interruption: Interruption
    ) throws(Failure) -> Int32 {
        let found: HostAddresses
        do {
            found = try HostAddresses.find(
                host, port, until: deadline, interruption, resolver: resolver)
        } catch {
            throw Failure(error)
        }
        var last = Failure(SystemError(ECONNREFUSED))
        var waiting = found.count
        var next = found.list
        while let entry = next?.pointee {
            next = entry.ai_next
            // One that swallows what it gets leaves the others their part of the time.
            let share = Deadline(within: deadline.remaining / max(waiting, 1))
            waiting -= 1
            guard let address = entry.ai_addr else { continue }
            do {
                let descriptor = try open(
                    entry.ai_family, address, entry.ai_addrlen, until: share, interruption)
                var on: Int32 = 1
                setsockopt(
                    descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on,
                    socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            } catch let failure {
                guard failure.cause != nil else { throw failure }
                last = failure
            }
        }
        throw last
    }

    private static func open(
        _ family: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t,
        until deadline: Deadline, _ interruption: Interruption
    ) throws(Failure) -> Int32 {
        let descriptor = socket(family, streamSocketType, 0)
        guard descriptor >= 0 else { throw Failure(.last) }
        var isConnected = false
        defer { if !isConnected { closeDescriptor(descriptor) } }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard chost_set_nonblocking(descriptor, true) == 0 else { throw Failure(.last) }
        if connectDescriptor(descriptor, address, size) < 0 {
            guard errno == EINPROGRESS || errno == EINTR else { throw Failure(.last) }
            do {
                guard
                    try Poll.wait(descriptor, for: Poll.writable, until: deadline, interruption)
                else { throw Failure(SystemError(ETIMEDOUT)) }
            } catch let error as ProvisioningError {
                throw Failure(error)
            } catch {
                throw Failure(SystemError(ETIMEDOUT))
            }
            var error: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
            guard error == 0 else { throw Failure(SystemError(error)) }
        }
        isConnected = true
        return descriptor
    }
}
