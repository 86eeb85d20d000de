import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A log that whoever connects to a TCP port of this computer brings: cargo-embed does, as soon as the firmware
/// has said something. It has no end: the next one may connect when one has left. Of several that are connected, the
/// first that says something is heard, and the others wait: who looks whether a port is open says nothing.
public final class ListeningLog: DeviceLog {
    public let name: String
    public let isFile = false
    private var listeners: [ListeningPort]
    /// Who is heard until it leaves; nil: nobody has said anything.
    private var speaker: Int32?
    /// Who is connected and has said nothing yet.
    private var silent: [Int32] = []
    /// Whether a client has left in the middle of a line: what the next one says does not go on with it.
    private var isCut = false
    private var endsInLine = false
    private let interruption: Interruption

    /// How long what is no news may come.
    private static let patience = Duration.milliseconds(500)
    /// Bytes.
    private static let discardLength = 1 << 16
    /// More than one tool has; who came first goes first.
    private static let silentLimit = 16

    /// Listens from now on: who connects before anybody reads waits.
    ///
    /// - Parameters:
    ///   - host: this computer's name or address; every address of it is listened at.
    ///   - timeout: for the name.
    /// - Throws: `.channelBusy`, naming who has the port, where the system tells; `.channelUnavailable`.
    public init(
        host: String, port: UInt16, within timeout: Duration, interruption: Interruption
    ) throws(ProvisioningError) {
        name = Self.name(host, port)
        self.interruption = interruption
        listeners = try Self.bind(host, port, within: timeout, interruption)
        for listener in listeners {
            do throws(SystemError) {
                try listener.listen()
            } catch {
                // Who was bound as well was first.
                guard error.number == EADDRINUSE else { throw .deaf(name, error) }
                throw .taken(name, port, listener.address)
            }
        }
    }

    deinit { close() }

    /// Refuses what can't be listened at, without listening: who connected meanwhile would lose what it sent.
    ///
    /// - Throws: as `init`.
    public static func checkPresence(
        host: String, port: UInt16, within timeout: Duration, interruption: Interruption
    ) throws(ProvisioningError) {
        _ = try bind(host, port, within: timeout, interruption)
    }

    private static func bind(
        _ host: String, _ port: UInt16, within timeout: Duration, _ interruption: Interruption
    ) throws(ProvisioningError) -> [ListeningPort] {
        let name = Self.name(host, port)
        var listeners: [ListeningPort] = []
        let found = try HostAddresses.find(
            host, port, until: Deadline(within: timeout), interruption)
        var failure = SystemError(EADDRNOTAVAIL)
        var next = found.list
        while let entry = next?.pointee {
            next = entry.ai_next
            do throws(SystemError) {
                listeners.append(try ListeningPort(entry))
            } catch {
                guard error.number != EADDRINUSE else {
                    throw .taken(name, port, HostAddresses.octets(of: entry))
                }
                failure = error
            }
        }
        guard !listeners.isEmpty else { throw .deaf(name, failure) }
        return listeners
    }

    /// What the user calls it.
    static func name(_ host: String, _ port: UInt16) -> String {
        "listen:" + ProbeEndpoint.tcp(host: host, port: port).description.dropFirst("tcp:".count)
    }

    /// Whether somebody is connected at this moment.
    public func hasClient() throws(ProvisioningError) -> Bool {
        try hasSomebody(until: Deadline(within: .zero))
    }

    /// Waits until somebody says something. Who is connected all the time and says nothing may do so later.
    ///
    /// - Throws: `.channelUnavailable` if nobody is connected by then.
    public func awaitClient(within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        while speaker == nil {
            _ = try next(until: deadline)
            if deadline.isPast {
                guard try !hasClient() else { return }
                throw ProvisioningError(
                    .channelUnavailable, "nobody connected to \(name) in \(timeout.brief)",
                    hint: "does the tool run that has the log, and connect there? cargo-embed does "
                        + "when the firmware says something")
            }
        }
    }

    private func hasSomebody(until deadline: Deadline) throws(ProvisioningError) -> Bool {
        if speaker == nil, silent.isEmpty { _ = try next(until: deadline) }
        return speaker != nil || !silent.isEmpty
    }

    /// Drops what came so far: the firmware before said it.
    public func discard() throws(ProvisioningError) {
        let deadline = Deadline(within: Self.patience)
        var isQuiet = false
        while !isQuiet, !deadline.isPast {
            // Also of those who wait behind the one that is heard.
            isQuiet = try !acceptAll()
            if try !read(atMost: Self.discardLength, within: .zero).isEmpty { isQuiet = false }
            for client in silent {
                guard
                    case .success(let bytes) = readLog(
                        Self.discardLength, { readBytes(client, $0, Self.discardLength) })
                else { continue }
                if !bytes.isEmpty { isQuiet = false }
            }
        }
        isCut = false
    }

    /// Whether anybody came.
    private func acceptAll() throws(ProvisioningError) -> Bool {
        let entries = try Poll.wait(
            for: listeners.map { Poll.Entry($0.descriptor, Poll.readable) },
            until: Deadline(within: .zero), interruption)
        for entry in entries where entry.isReady { try accept(entry.descriptor) }
        return entries.contains(where: \.isReady)
    }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        // Also behind a deadline that is past, once.
        repeat {
            guard !listeners.isEmpty else { throw .logEnded("\(name): it was closed before") }
            guard let client = try next(until: deadline) else { continue }
            if isCut {
                isCut = false
                return [UInt8(ascii: "\n")]
            }
            switch readLog(limit, { readBytes(client, $0, limit) }) {
            case .success(let bytes) where bytes.isEmpty: leave()
            case .success(let bytes):
                endsInLine = bytes.last != UInt8(ascii: "\n")
                return bytes
            case .failure(let error) where [EAGAIN, EINTR].contains(error.number): continue
            case .failure: leave()
            }
        } while !deadline.isPast
        return []
    }

    /// Who has something to say, or leaves. Nil: nobody in time, but somebody may be connected now.
    private func next(until deadline: Deadline) throws(ProvisioningError) -> Int32? {
        if let speaker {
            let isReady = try Poll.wait(speaker, for: Poll.readable, until: deadline, interruption)
            return isReady ? speaker : nil
        }
        let isFirst = silent.isEmpty
        let entries = try Poll.wait(
            for: (silent + listeners.map(\.descriptor)).map { Poll.Entry($0, Poll.readable) },
            until: deadline, interruption)
        if let index = entries.prefix(silent.count).firstIndex(where: \.isReady) {
            let client = silent.remove(at: index)
            guard !Self.hasLeft(client) else {
                closeDescriptor(client)
                return nil
            }
            speaker = client
            return client
        }
        for entry in entries where entry.isReady { try accept(entry.descriptor) }
        // What the first one says may be here already, also when the time is over.
        return isFirst && !silent.isEmpty ? try next(until: Deadline(within: .zero)) : nil
    }

    /// Whether a client that can be read says nothing more.
    private static func hasLeft(_ client: Int32) -> Bool {
        var octet: UInt8 = 0
        return recv(client, &octet, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    private func accept(_ listener: Int32) throws(ProvisioningError) {
        do throws(SystemError) {
            silent.append(try ListeningPort.accept(listener))
        } catch {
            // Who has left again already is none.
            let isGone = [EAGAIN, EINTR, ECONNABORTED, ECONNRESET, EPROTO].contains(error.number)
            guard isGone else { throw .deaf(name, error) }
        }
        if silent.count > Self.silentLimit { closeDescriptor(silent.removeFirst()) }
    }

    /// The next one may come.
    private func leave() {
        if let speaker { closeDescriptor(speaker) }
        speaker = nil
        isCut = isCut || endsInLine
        endsInLine = false
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw .readOnlyLog(name)
    }

    public func close() {
        for client in silent + [speaker].compactMap(\.self) { closeDescriptor(client) }
        (speaker, silent, listeners) = (nil, [], [])
    }
}

extension ProvisioningError {
    static func deaf(_ name: String, _ error: SystemError) -> ProvisioningError {
        let hint =
            switch error.number {
            case EACCES, EPERM:
                "ports below 1024 are root's: name a higher one, here and where the log comes from"
            case EMFILE, ENFILE:
                "too many files are open: close some programs, or raise the limit with ulimit -n"
            case ENOBUFS, ENOMEM: "this computer has no memory left for it: close some programs"
            default: "is it an address of this computer? --log listen:localhost:PORT is its own"
            }
        return ProvisioningError(
            .channelUnavailable, "nobody can be heard at \(name): \(error)", hint: hint)
    }

    fileprivate static func taken(
        _ name: String, _ port: UInt16, _ address: [UInt8]
    ) -> ProvisioningError {
        let holder =
            PortHolder.find(listeningAt: port, of: address).map { "\($0)" } ?? "another process"
        return ProvisioningError(
            .channelBusy, "\(name) is taken: \(holder) listens there",
            hint: "end it, or name another port, here and where the log comes from")
    }
}
