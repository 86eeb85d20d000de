import CLibUSB
import Provisioning

/// What the host asks a device for on one bulk endpoint, in the order in which it is answered.
///
/// Something is always asked for, a packet each: such a transfer ends with its packet, also where a device leaves away
/// the empty one after a full one. A device that sends full ones quickly is asked for blocks of them, which cost less.
/// If it rests in the middle of a block, nothing ends that: `hasRested` says when to do so.
final class USBIncoming {
    private let connection: USBConnection
    private var idlePackets: [USBTransfer] = []
    private var idleBlocks: [USBTransfer] = []
    /// In the order in which they were submitted; those that have ended are the first.
    private(set) var underWay: [USBTransfer] = []
    private let packetSize: Int
    private var isStream = false
    /// Full packets since `countedFrom`.
    private var fullPackets = 0
    private var countedFrom = ContinuousClock.now
    private var blocksUnderWay = 0
    private var lastArrival = ContinuousClock.now

    /// Packets that the device may send while this host is busy.
    private static let packetLimit = 32
    private static let blockLimit = 4
    /// Packets of a block. The largest makes 16 KiB of them, the kernel's own unit, which libusb need not divide.
    private static let blockLength = 16
    /// Who sends no block in that time rests. Short beside what a device's answer takes.
    private static let lull = Duration.milliseconds(50)
    /// Full packets in that time make a stream: its blocks take half of it.
    private static let streamLength = 32

    init(_ connection: USBConnection) throws(ProvisioningError) {
        self.connection = connection
        let endpoint = connection.interface.input
        packetSize = endpoint.packetSize
        for _ in 0..<Self.packetLimit {
            idlePackets.append(try connection.makeTransfer(endpoint, capacity: packetSize))
        }
        for _ in 0..<Self.blockLimit {
            idleBlocks.append(
                try connection.makeTransfer(endpoint, capacity: Self.blockLength * packetSize))
        }
    }

    /// Submits what is idle. Returns libusb's error, or 0.
    func ask() -> Int32 {
        if isStream {
            while underWay.count < Self.blockLimit, let transfer = idleBlocks.popLast() {
                let error = transfer.submit()
                guard error != 0 else {
                    blocksUnderWay += 1
                    underWay.append(transfer)
                    continue
                }
                guard error == LIBUSB_ERROR_NO_MEM.rawValue else { return error }
                // The kernel limits what all users have under way: packets it is, then.
                idleBlocks = []
            }
            if !idleBlocks.isEmpty || blocksUnderWay > 0 { return 0 }
        }
        while underWay.count < Self.packetLimit, let transfer = idlePackets.popLast() {
            let error = transfer.submit()
            guard error == 0 else { return error }
            underWay.append(transfer)
        }
        return 0
    }

    /// The first one if it has ended. It is idle then, and its octets are there until the next `ask`.
    func takeEnded() -> USBTransfer? {
        guard let transfer = underWay.first, !transfer.isPending else { return nil }
        underWay.removeFirst()
        noteArrival(of: transfer.bytes.count / packetSize)
        if transfer.capacity == packetSize {
            idlePackets.append(transfer)
        } else {
            blocksUnderWay -= 1
            idleBlocks.append(transfer)
        }
        return transfer
    }

    private func noteArrival(of fullPackets: Int) {
        lastArrival = .now
        guard !isStream else { return }
        if countedFrom.duration(to: lastArrival) > Self.lull {
            countedFrom = lastArrival
            self.fullPackets = 0
        }
        self.fullPackets += fullPackets
        isStream = self.fullPackets >= Self.streamLength
    }

    /// When a wait for the device must end, so that nothing stays in a block.
    var restDeadline: Deadline {
        blocksUnderWay == 0 ? .never : Deadline(lastArrival.advanced(by: Self.lull))
    }

    /// Whether there may be octets in a block that nothing ends: end all, and take what they have.
    var hasRested: Bool { blocksUnderWay > 0 && restDeadline.isPast }

    /// Ends all that is under way. What came before is in them. False if the kernel keeps one.
    func endAll() -> Bool {
        isStream = false
        fullPackets = 0
        return connection.cancel(underWay)
    }
}
