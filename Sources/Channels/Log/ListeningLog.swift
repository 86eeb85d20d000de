import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A log that whoever connects to a TCP port of this computer brings: cargo-embed does, as soon as the firmware
/// has said something. It has no end: the next one may connect when one has left.
public final class ListeningLog: DeviceLog {
    public let name: String
    public let isFile = false
    private var listeners: [ListeningPort]
    private var client: Int32 = -1
    /// Whether a client has left in the middle of a line: what the next one says does not go on with it.
    private var isCut = false
    private var endsInLine = false
    private let interruption: Interruption

    /// How long what is no news may come.
    private static let patience = Duration.milliseconds(500)
    /// Bytes.
    private static let discardLength = 1 << 16

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
                throw error.number == EADDRINUSE ? .taken(name, port) : .deaf(name, error)
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
                guard error.number != EADDRINUSE else { throw .taken(name, port) }
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

    /// Waits until somebody is connected.
    ///
    /// - Throws: `.channelUnavailable` if nobody is in time.
    public func awaitClient(within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        while client < 0 {
            if try accept(until: deadline) { return }
            guard !deadline.isPast else {
                throw ProvisioningError(
                    .channelUnavailable, "nobody connected to \(name) in \(timeout.brief)",
                    hint: "does the tool run that has the log, and connect there? cargo-embed does "
                        + "when the firmware says something")
            }
        }
    }

    /// Drops what came so far: the firmware before said it.
    public func discard() throws(ProvisioningError) {
        let deadline = Deadline(within: Self.patience)
        while !deadline.isPast, try !read(atMost: Self.discardLength, within: .zero).isEmpty {}
        isCut = false
    }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        // Also behind a deadline that is past, once: who is there and has something is heard.
        repeat {
            guard !listeners.isEmpty else { throw .logEnded("\(name): it was closed before") }
            if client < 0, try !accept(until: deadline) { continue }
            guard try Poll.wait(client, for: Poll.readable, until: deadline, interruption) else {
                return []
            }
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

    /// False if nobody came in time.
    private func accept(until deadline: Deadline) throws(ProvisioningError) -> Bool {
        let entries = try Poll.wait(
            for: listeners.map { Poll.Entry($0.descriptor, Poll.readable) }, until: deadline,
            interruption)
        for entry in entries where entry.isReady {
            do throws(SystemError) {
                client = try ListeningPort.accept(entry.descriptor)
                return true
            } catch {
                // Who has left again already is none.
                let isGone = [EAGAIN, EINTR, ECONNABORTED, ECONNRESET, EPROTO]
                    .contains(error.number)
                guard isGone else { throw .deaf(name, error) }
            }
        }
        return false
    }

    /// The next one may come.
    private func leave() {
        closeDescriptor(client)
        client = -1
        isCut = isCut || endsInLine
        endsInLine = false
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw .readOnlyLog(name)
    }

    public func close() {
        if client >= 0 { closeDescriptor(client) }
        client = -1
        listeners = []
    }
}

extension ProvisioningError {
    fileprivate static func deaf(_ name: String, _ error: SystemError) -> ProvisioningError {
        ProvisioningError(
            .channelUnavailable, "nobody can be heard at \(name): \(error)",
            hint: "is it an address of this computer? --log listen:localhost:PORT is its own")
    }

    fileprivate static func taken(_ name: String, _ port: UInt16) -> ProvisioningError {
        let holder = PortHolder.find(listeningAt: port).map { "\($0)" } ?? "another process"
        return ProvisioningError(
            .channelBusy, "\(name) is taken: \(holder) listens there",
            hint: "end it, or name another port, here and where the log comes from")
    }
}
