public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A byte channel through rings in the target's memory, which a debug probe reads and writes while the
/// firmware goes on: RTT.
///
/// Everything that moves is read anew, and checked, at every look: a block that a reset took away is
/// searched for, and the firmware's offsets, never this host's memory of them, say where bytes are. Data is
/// written before the offset that announces it.
public final class RTTChannel: Channel {
    /// Runs before bytes of the device are handed out: what they rest on may have to be kept first.
    public typealias BeforeDelivery = () throws(ProvisioningError) -> Void

    public let name: String
    /// Whether what is written is a person's: it goes to the channel of the log's number then, by RTT's
    /// custom the other half of a terminal, if the firmware has it.
    public var isTerminal = false
    private let memory: any TargetMemory
    private let settings: RTTSettings
    private let interruption: Interruption
    private let beforeDelivery: BeforeDelivery
    /// How long a block may be away.
    private let searchTimeout: Duration
    private var locator: RTTLocator
    private var block: RTTControlBlock?
    /// When a block that is away is given up.
    private var givesUp: ContinuousClock.Instant
    private var lines = RTTLines()
    private var pace: RTTPace
    private var lastLook = ContinuousClock.now
    private var isOpen = true

    /// Bytes of one ring that are taken in one look: rings may be as long as RAM.
    private static let maximumPull = 1 << 16

    /// Waits until the target has its channels.
    ///
    /// - Parameters:
    ///   - locator: knows where to look.
    ///   - searchTimeout: for finding the block now, and after each reset.
    /// - Throws: `.rttNotFound` if there is none in time; `.rttDamaged` if there is only one that can't be.
    package init(
        _ memory: any TargetMemory, _ settings: RTTSettings, locator: RTTLocator,
        within searchTimeout: Duration, interruption: Interruption,
        beforeDelivery: @escaping BeforeDelivery = { () throws(ProvisioningError) in }
    ) throws(ProvisioningError) {
        self.memory = memory
        self.settings = settings
        self.locator = locator
        self.searchTimeout = searchTimeout
        self.interruption = interruption
        self.beforeDelivery = beforeDelivery
        name = "RTT channel \(settings.up) of \(memory.name)"
        pace = RTTPace(haltsCore: memory.haltsCore)
        givesUp = .now + searchTimeout
        while block == nil {
            try search(memory)
            if block == nil { try sleep(pace.pause) }
        }
    }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        var nothing: ArraySlice<UInt8> = []
        while lines.isEmpty {
            guard try wait(pace.pause, until: deadline) else { return [] }
            try look(sending: &nothing)
        }
        return lines.take(limit)
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard try wait(pace.least, until: deadline) else {
                // Not for want of room in a ring: there is none.
                if block == nil { throw locator.failure(after: timeout, in: memory) }
                throw ProvisioningError(
                    .channelUnavailable,
                    "\(name) took \(bytes.count - rest.count) of \(bytes.count) bytes in "
                        + timeout.brief,
                    hint: "is the device running, and does its firmware read this channel?")
            }
            try look(sending: &rest)
        }
    }

    /// The probe stays connected: whoever opened it closes it.
    public func close() { isOpen = false }

    // MARK: Turns

    /// How much too late a sleeper may wake. A ring may be full in that time: a short pause ends when it should.
    private static let delay = Duration.microseconds(150)
    private static let short = Duration.microseconds(250)

    /// False if the deadline comes first. The last look is over for `pause` then.
    private func wait(_ pause: Duration, until deadline: Deadline) throws(ProvisioningError) -> Bool
    {
        guard isOpen else {
            throw ProvisioningError(.channelClosed, "\(name): it was closed before")
        }
        let rest = pause - lastLook.duration(to: .now)
        guard rest > .zero else {
            try interruption.check()
            return true
        }
        let isInTime = rest <= deadline.remaining
        try sleep(isInTime ? rest : deadline.remaining)
        return isInTime
    }

    private func sleep(_ duration: Duration) throws(ProvisioningError) {
        // poll(2) counts milliseconds.
        if duration >= .milliseconds(2) { return try interruption.pause(for: duration) }
        try interruption.check()
        let end = ContinuousClock.now + duration
        let isShort = duration <= Self.short
        let (_, attoseconds) = (isShort ? duration - Self.delay : duration).components
        if attoseconds > 0 { usleep(UInt32(attoseconds / 1_000_000_000_000)) }
        while isShort, .now < end { sched_yield() }
    }

    /// Takes what is there, and leaves what fits.
    private func look(sending rest: inout ArraySlice<UInt8>) throws(ProvisioningError) {
        try look(memory, sending: &rest)
    }

    private func look(_ memory: some TargetMemory, sending rest: inout ArraySlice<UInt8>)
        throws(ProvisioningError)
    {
        let start = ContinuousClock.now
        guard let old = block else { return try search(memory) }
        var (frames, text) = ([UInt8](), [UInt8]())
        let before = rest.count
        var moved: [MovedOffset] = []
        try memory.beginTransfer()
        let new = try locator.refresh(old, in: memory)
        if let new {
            if lines.hasRoom {
                frames = try pull(new.up[settings.up], memory, &moved)
                if let log = settings.log, new.up.indices.contains(log) {
                    text = try pull(new.up[log], memory, &moved)
                }
            }
            if !rest.isEmpty { try push(&rest, outgoing(of: new), memory, &moved) }
        }
        try end(memory, announcing: moved)
        block = new
        if new == nil { givesUp = .now + searchTimeout }
        let hasMoved = !frames.isEmpty || !text.isEmpty || rest.count < before
        // Of those that are read: others may be full for ever.
        let rings = [settings.up, settings.log].compactMap { number in
            number.flatMap { new?.up.indices.contains($0) == true ? new?.up[$0] : nil }
        }
        let fill = rings.map(\.fill).max() ?? 0
        pace.looked(for: start.duration(to: lastLook), moved: hasMoved, fill: fill)
        if !frames.isEmpty || !text.isEmpty { try beforeDelivery() }
        lines.append(frames, log: text)
    }

    /// An offset of a ring, which says how far bytes were taken or put.
    private typealias MovedOffset = (offset: Int, address: UInt64)

    /// A core that runs meanwhile learns it at once, one that stands still when it goes on: see `end`.
    private func announce(
        _ offset: Int, at address: UInt64, _ memory: some TargetMemory, _ moved: inout [MovedOffset]
    ) throws(ProvisioningError) {
        guard memory.haltsCore else { return try memory.write(word: UInt32(offset), at: address) }
        moved.append((offset, address))
    }

    private func end(_ memory: some TargetMemory, announcing moved: [MovedOffset])
        throws(ProvisioningError)
    {
        for (offset, address) in moved.dropLast() {
            try memory.write(word: UInt32(offset), at: address)
        }
        // From now on the core runs, whatever is still done here.
        lastLook = .now
        guard let (offset, address) = moved.last else { return try memory.endTransfer() }
        try memory.endTransfer(writing: UInt32(offset), at: address)
    }

    private func outgoing(of block: RTTControlBlock) -> RTTControlBlock.Ring? {
        if isTerminal, let log = settings.log, block.down.indices.contains(log),
            let ring = block.down[log]
        {
            return ring
        }
        return block.down[settings.down]
    }

    private func search(_ memory: some TargetMemory) throws(ProvisioningError) {
        block = try locator.find(in: memory, until: givesUp)
        lastLook = .now
        guard block == nil else { return pace = RTTPace(haltsCore: memory.haltsCore) }
        pace.looked(for: .zero, moved: false)
        guard .now < givesUp else { throw locator.failure(after: searchTimeout, in: memory) }
    }

    private func pull(
        _ ring: RTTControlBlock.Ring?, _ memory: some TargetMemory, _ moved: inout [MovedOffset]
    ) throws(ProvisioningError) -> [UInt8] {
        guard let ring else { return [] }
        var bytes: [UInt8] = []
        let pieces = ring.filled
        for (index, (offset, count)) in pieces.enumerated() {
            var wanted = min(count, Self.maximumPull - bytes.count)
            // Its writer probably has more, so that the little that is left over needs no request of its own.
            if ring.fill >= RTTControlBlock.Ring.nearlyFull, index == pieces.count - 1,
                wanted > 8 * memory.requestLength
            {
                wanted -= wanted % memory.requestLength
            }
            let piece = try memory.read(at: ring.buffer + UInt64(offset), count: wanted)
            bytes = bytes.isEmpty ? piece : bytes + piece
        }
        guard !bytes.isEmpty else { return [] }
        try announce(
            ring.offset(ring.readOffset, advancedBy: bytes.count), at: ring.readOffsetAddress,
            memory, &moved)
        return bytes
    }

    private func push(
        _ rest: inout ArraySlice<UInt8>, _ ring: RTTControlBlock.Ring?, _ memory: some TargetMemory,
        _ moved: inout [MovedOffset]
    ) throws(ProvisioningError) {
        guard let ring else { return }
        var count = 0
        for (offset, room) in ring.free {
            let piece = rest.dropFirst(count).prefix(room)
            guard !piece.isEmpty else { break }
            try memory.write(at: ring.buffer + UInt64(offset), Array(piece))
            count += piece.count
        }
        guard count > 0 else { return }
        try announce(
            ring.offset(ring.writeOffset, advancedBy: count), at: ring.writeOffsetAddress, memory,
            &moved)
        rest = rest.dropFirst(count)
    }
}
