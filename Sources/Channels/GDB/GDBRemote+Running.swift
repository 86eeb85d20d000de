import CBOR
import Provisioning

extension GDBRemote {
    /// How long a server that reads while the core runs may take for it; one that doesn't may say nothing, and
    /// would be waited for as long. A tenth of what an answer may take, 500 ms where nobody says otherwise, but
    /// longer for a server, or a way there, that was slow already.
    var patience: Duration {
        let least = max(.milliseconds(500), replyTimeout / 10, negotiation * 2)
        return min(least, replyTimeout)
    }
    /// How long it may take for the answer that it held back until the core stood still: no longer than a core's
    /// watchdog bears, however patient the user is.
    private var remark: Duration { min(patience / 25, .milliseconds(100)) }

    /// Whether the server answers requests for memory while the core runs, as OpenOCD and J-Link do on
    /// Cortex-M. Black Magic and pyOCD may say nothing, and QEMU stops the core whatever is sent.
    ///
    /// The core runs afterwards.
    ///
    /// - Parameter address: of a word that can be read.
    func readsWhileRunning(at address: UInt64) throws(ProvisioningError) -> Bool {
        try resume()
        let request = Array("m\(String(address, radix: 16)),4".utf8)
        try send(raw: GDBPacket.encoded(request))
        let answer = try nextPacket(within: patience, for: request)
        if let answer, !Self.isStopReply(answer) {
            return [UInt8](hexadecimal: answer)?.count == 4
        }
        if answer != nil {
            // QEMU, which has lost the request.
            isHalted = true
        } else {
            try halt()
            // An answer that comes only now would be taken for the one to the next request.
            let end = Deadline(within: patience)
            while try nextPacket(within: remark, for: request) != nil {
                guard !end.isPast else {
                    throw ProvisioningError(
                        .probeProtocol, "\(name) goes on answering a request that it had answered")
                }
            }
        }
        try resume()
        return false
    }

    /// The next that is no output. Nil if none comes in time.
    func nextPacket(within timeout: Duration, for request: [UInt8])
        throws(ProvisioningError) -> [UInt8]?
    {
        let deadline = Deadline(within: timeout)
        do {
            while true {
                let packet = try nextPacket(until: deadline, resending: nil, for: request)
                if !Self.isOutput(packet) { return packet }
            }
        } catch {
            // A server that has gone away says so again, at the next request.
            guard error.code == .probeUnavailable else { throw error }
            return nil
        }
    }
}
