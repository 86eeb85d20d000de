import CBOR
import CLibUSB
public import Provisioning

/// The two bulk endpoints of a vendor interface, as one byte stream.
///
/// Transfers from the device are always under way: what it sends is taken also while nobody reads, and what came is
/// never lost, neither by a time-out nor by an interruption.
public final class USBBulkChannel: Channel {
    public let name: String
    private let connection: USBConnection
    private let interruption: Interruption
    private let incoming: USBIncoming
    private let outgoing: USBTransfer
    private var received: [UInt8] = []
    /// Octets of `received` that were read.
    private var taken = 0
    /// Whether the endpoint's halt was cleared, and nothing has come of it yet.
    private var clearedInput = false
    private var clearedOutput = false
    /// Transfers that failed, one after the other.
    private var failures = 0
    /// Why nothing more can come, and every call says so.
    private var ending: ProvisioningError?

    /// What is kept while a write waits. A device that says more waits, too.
    private static let keptLimit = 1 << 20
    private static let writeCapacity = 1 << 14
    /// A cable that is being pulled out fails before the device is gone.
    private static let maximumFailures = 8

    /// Opens and claims it.
    ///
    /// - Parameter requestTimeout: for the device to take a request of USB's own, as the end of a halt.
    /// - Throws: `.channelUnavailable` if it is gone, or if the user may not open it: the hint names the udev
    ///   rule. `.channelBusy` if a process or a kernel driver has it, naming it if it can be found.
    public init(
        _ interface: USBInterface, requestTimeout: Duration = .seconds(5),
        interruption: Interruption
    ) throws(ProvisioningError) {
        name = "USB \(interface.device)"
        self.interruption = interruption
        connection = try USBConnection(interface, requestTimeout: requestTimeout)
        incoming = try USBIncoming(connection)
        outgoing = try connection.makeTransfer(interface.output, capacity: Self.writeCapacity)
        try check(submission: incoming.ask())
    }

    deinit { close() }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        var hasWaited = false
        while taken == received.count {
            received.removeAll(keepingCapacity: true)
            taken = 0
            collect()
            if !received.isEmpty { break }
            if let ending { throw ending }
            if incoming.hasRested {
                guard incoming.endAll() else { throw end(closed("it is stuck")) }
                continue
            }
            // Not only when nothing happens: packets without octets are no answer.
            if hasWaited, deadline.isPast { return [] }
            _ = try connection.waitForEvents(
                until: deadline.earlier(of: incoming.restDeadline), interruption)
            hasWaited = true
        }
        // Where it did not wait, nobody has looked.
        if !hasWaited { try interruption.check() }
        let bytes = Array(received[taken...].prefix(limit))
        taken += bytes.count
        return bytes
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        if let ending { throw ending }
        let deadline = Deadline(within: timeout)
        var sent = 0
        while sent < bytes.count {
            let part = bytes[sent...].prefix(Self.writeCapacity)
            let isLast = sent + part.count == bytes.count
            let isInTime = try send(part, isLast: isLast, until: deadline)
            sent += outgoing.bytes.count
            try check(outgoing, clearing: connection.interface.output, &clearedOutput)
            guard isInTime || sent == bytes.count else {
                throw ProvisioningError(
                    .channelUnavailable,
                    "\(name) took \(sent) of \(bytes.count) bytes in \(timeout.brief)",
                    hint: "is the device running, and does its firmware read this endpoint?")
            }
        }
    }

    public func close() {
        connection.close()
        if ending == nil { ending = closed("it was closed before") }
    }

    // MARK: To the device

    /// False if the deadline came first; then it is cancelled, and says how much left.
    private func send(
        _ part: ArraySlice<UInt8>, isLast: Bool, until deadline: Deadline
    ) throws(ProvisioningError) -> Bool {
        try check(submission: outgoing.submit(part, isLast: isLast))
        var isInTime = true
        while outgoing.isPending && isInTime {
            do {
                isInTime = try connection.waitForEvents(until: deadline, interruption)
            } catch {
                _ = connection.cancel([outgoing])
                throw error
            }
            // Also while the device speaks without end.
            if outgoing.isPending, deadline.isPast { isInTime = false }
            // A device that can't get rid of its answers may not listen.
            if received.count - taken < Self.keptLimit { collect() }
        }
        if outgoing.isPending, !connection.cancel([outgoing]) { throw end(closed("it is stuck")) }
        return isInTime
    }

    // MARK: From the device

    /// Moves what came into `received`, and asks for more. What came before an ending is read first.
    private func collect() {
        while ending == nil, let transfer = incoming.takeEnded() {
            do {
                try collect(transfer)
            } catch {
                ending = error
            }
        }
    }

    private func collect(_ transfer: USBTransfer) throws(ProvisioningError) {
        received += transfer.bytes
        if transfer.ending == .stalled {
            // A halt can be cleared only when nothing is under way.
            guard incoming.endAll() else { throw closed("it is stuck") }
            while let next = incoming.takeEnded() { received += next.bytes }
        }
        try check(transfer, clearing: connection.interface.input, &clearedInput)
        try check(submission: incoming.ask())
    }

    // MARK: Endings

    private func check(submission error: Int32) throws(ProvisioningError) {
        guard error != 0 else { return }
        throw end(closed(USBConnection.text(of: error)))
    }

    private func check(
        _ transfer: USBTransfer, clearing endpoint: USBInterface.Endpoint, _ wasCleared: inout Bool
    ) throws(ProvisioningError) {
        if !transfer.bytes.isEmpty { wasCleared = false }
        switch transfer.ending {
        case .completed:
            failures = 0
        case .cancelled:
            break
        case .gone:
            throw end(closed("the device is gone"))
        case .failed:
            failures += 1
            guard failures < Self.maximumFailures else { throw end(closed("its transfers fail")) }
        case .stalled:
            guard !wasCleared else { throw end(stalled(endpoint)) }
            wasCleared = true
            let error = try connection.clearHalt(endpoint, interruption)
            if error == LIBUSB_ERROR_NO_DEVICE.rawValue { throw end(closed("the device is gone")) }
            if error != 0 { throw end(stalled(endpoint)) }
        }
    }

    private func stalled(_ endpoint: USBInterface.Endpoint) -> ProvisioningError {
        let address = "0x" + [endpoint.address].hexadecimal
        return ProvisioningError(
            .channelStalled, "\(name): endpoint \(address) is halted, and stays so",
            hint: "reset the board, or unplug it and plug it in again")
    }

    private func closed(_ reason: String) -> ProvisioningError {
        ProvisioningError(
            .channelClosed, "\(name): \(reason)",
            hint: "was the board unplugged, or did it reset its USB port?")
    }

    private func end(_ error: ProvisioningError) -> ProvisioningError {
        ending = error
        return error
    }
}
