import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// `poll(2)` with a deadline and an interruption.
enum Poll {
    static let readable = Int16(POLLIN)
    static let writable = Int16(POLLOUT)

    /// A descriptor, what to wait for, and what happened. Negative descriptors are never ready.
    struct Entry {
        let descriptor: Int32
        let events: Int16
        private(set) var happened: Int16 = 0

        init(_ descriptor: Int32, _ events: Int16) {
            self.descriptor = descriptor
            self.events = events
        }

        /// Readable or writable, as asked, or gone, which the next call tells.
        var isReady: Bool { happened != 0 }

        fileprivate mutating func record(_ events: Int16) { happened = events }
    }

    /// The entries, with what happened to each; nothing happened if the deadline passed first.
    ///
    /// - Throws: `.interrupted`, also when something else happened at the same time.
    static func wait(
        for entries: [Entry], until deadline: Deadline, _ interruption: Interruption?
    ) throws(ProvisioningError) -> [Entry] {
        var entries = entries
        var table = entries.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
        table.append(
            pollfd(fd: interruption?.descriptor ?? -1, events: Int16(POLLIN), revents: 0))
        repeat {
            let count = poll(&table, nfds_t(table.count), deadline.pollMilliseconds)
            if table[entries.count].revents != 0 { throw .interruptedByUser }
            if count > 0 { break }
            if count < 0 && errno != EINTR && errno != EAGAIN {
                throw ProvisioningError(.internalFailure, "poll failed: \(SystemError.last)")
            }
        } while !deadline.isPast
        for index in entries.indices { entries[index].record(table[index].revents) }
        return entries
    }

    /// Whether it became ready in time.
    static func wait(
        _ descriptor: Int32, for events: Int16, until deadline: Deadline,
        _ interruption: Interruption?
    ) throws(ProvisioningError) -> Bool {
        try wait(for: [Entry(descriptor, events)], until: deadline, interruption)[0].isReady
    }
}
