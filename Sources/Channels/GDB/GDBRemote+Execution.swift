import CBOR
public import Provisioning

extension GDBRemote {
    /// Output of one monitor command that is kept, in bytes.
    private static let maximumMonitorOutput = 1 << 16

    /// Stops the core. Nothing happens if it is stopped.
    public func halt() throws(ProvisioningError) {
        guard !isHalted else { return }
        try awaitAnswer(within: replyTimeout)
        if try discardUnasked() {
            // It stopped by itself, at a fault or a breakpoint, and would not answer.
            isHalted = true
            return
        }
        try send(raw: [0x03])
        try awaitStop(within: replyTimeout)
    }

    /// Has the core run. It is not asked for anything until it is halted again: to QEMU, any byte
    /// means halt.
    public func resume() throws(ProvisioningError) {
        guard isHalted else { return }
        _ = try discardUnasked()
        try send(raw: continuation)
        isHalted = false
    }

    private var continuation: [UInt8] {
        GDBPacket.encoded((continuesWithVCont ? "vCont;c" : "c").utf8)
    }

    /// Writes memory and has the core run; a halted one with a single message, so that it stands still no longer
    /// than the server needs, and not until the host has read the answer.
    ///
    /// After an error the core may run, and the bytes may or may not be written.
    func resume(writing bytes: [UInt8], at address: UInt64) throws(ProvisioningError) {
        guard isHalted, let write = try singleWrite(of: bytes, at: address) else {
            try writeMemory(at: address, bytes)
            return try resume()
        }
        _ = try discardUnasked()
        // Once the core runs, no acknowledgement may follow. The server reads this one when it has answered.
        let acknowledgement = acknowledges ? [UInt8(ascii: "+")] : []
        unanswered = write
        try send(raw: GDBPacket.encoded(write) + acknowledgement + continuation)
        isHalted = false
        try awaitAnswer(within: replyTimeout)
    }

    /// Runs `command` in the server, halting the core first: `reset halt`, `system_reset`.
    ///
    /// - Returns: what the server printed.
    @discardableResult
    public func monitor(_ command: String) throws(ProvisioningError) -> String {
        try halt()
        var output: [UInt8] = []
        let request = Array("qRcmd,".utf8) + command.utf8.hexadecimal.utf8
        guard request.count + 4 <= packetSize else {
            throw violation("the command \"\(command)\" is longer than a packet")
        }
        var answer = try exchange(request, withOutput: true)
        let deadline = Deadline(within: replyTimeout)
        for _ in 0..<Self.maximumUnasked {
            guard !answer.elementsEqual("OK".utf8) else {
                return String(decoding: output, as: UTF8.self)
            }
            let isConsole = answer.first == UInt8(ascii: "O")
            let isError = answer.isEmpty || (answer.first == UInt8(ascii: "E") && answer.count == 3)
            guard !isError, let text = [UInt8](hexadecimal: answer.dropFirst(isConsole ? 1 : 0))
            else {
                throw refused("the monitor command \"\(command)\"", answer)
            }
            output += text
            guard output.count <= Self.maximumMonitorOutput else {
                throw violation(
                    "\"\(command)\" prints more than \(Self.maximumMonitorOutput) bytes")
            }
            // Without an O it is the whole answer.
            guard isConsole else { return String(decoding: output, as: UTF8.self) }
            answer = try nextPacket(until: deadline, resending: nil, for: request)
        }
        throw violation("\"\(command)\" prints in more than \(Self.maximumUnasked) packets")
    }

    /// Resets the core with a monitor command and leaves it halted at its start.
    public func reset(with command: String) throws(ProvisioningError) {
        try monitor(command)
        takesBinaryWrites = nil
    }

    /// Lets go of the core, which runs from then on.
    ///
    /// OpenOCD leaves a core halted that is detached from so: the core must run before. Others hear
    /// nothing while it runs, and have it run themselves.
    func detach(within timeout: Duration) throws(ProvisioningError) {
        try resume()
        // It would be taken for the answer to what follows.
        try? awaitAnswer(within: min(timeout, patience))
        unanswered = nil
        let request = Array("D".utf8)
        try send(raw: GDBPacket.encoded(request))
        if let answer = try nextPacket(within: min(timeout, patience), for: request) {
            if answer.elementsEqual("OK".utf8) { return }
            // QEMU stops the core whatever is sent, and has lost the request.
            isHalted = Self.isStopReply(answer)
        }
        if !isHalted {
            try send(raw: [0x03])
            try? awaitStop(within: timeout)
        }
        for request in ["D", "D;1"] {
            // With multiprocess extensions a plain D is an error.
            let answer = try exchange(Array(request.utf8), timeout: timeout)
            if answer.elementsEqual("OK".utf8) { return }
        }
        // The next best: run, then hang up.
        try send(raw: GDBPacket.encoded("c".utf8))
    }

    private func awaitStop(within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        for _ in 0..<Self.maximumUnasked {
            let packet = try nextPacket(until: deadline, resending: nil, for: Array("halt".utf8))
            if Self.isStopReply(packet) {
                isHalted = true
                return
            }
        }
        throw violation("it does not stop the core")
    }
}
