package import Provisioning

/// Finds a target's RTT control block, and finds it again.
package struct RTTLocator {
    private let settings: RTTSettings
    private let pointers: RTTControlBlock.Pointers
    /// Where the firmware image has the block: then it is nowhere else. Nil: look through all RAM.
    private let address: UInt64?
    /// Several blocks, one of which may be left from earlier firmware: as they were before.
    private var candidates: [RTTControlBlock] = []
    private var obstacle = Obstacle.none

    /// Why there was no block to use, the last time.
    private enum Obstacle {
        case none
        case damaged(UInt64, RTTControlBlock.Defect)
        case channelMissing(RTTControlBlock, String, Int)
        case several([UInt64])
    }

    /// The name of the block in a firmware image.
    package static let symbol = "_SEGGER_RTT"
    /// Bytes that are read at a time: a core that is halted for it stands still for some milliseconds.
    private static let scanLength = 1 << 14

    package init(
        _ settings: RTTSettings, pointers: RTTControlBlock.Pointers = .bits32,
        address: UInt64? = nil
    ) {
        self.settings = settings
        self.pointers = pointers
        self.address = address
    }

    /// The block, or nil while there is none to use: a later call may find it.
    ///
    /// - Parameter deadline: when a search through RAM, which a slow probe takes minutes for, ends where it is;
    ///   nil: at the end of RAM.
    package mutating func find(
        in target: some TargetMemory, until deadline: ContinuousClock.Instant? = nil
    ) throws(ProvisioningError) -> RTTControlBlock? {
        obstacle = .none
        guard let address else { return try choose(from: scan(target, until: deadline)) }
        let found = try target.transfer { () throws(ProvisioningError) in
            try block(at: address, in: target)
        }
        return found.flatMap { hasChannels($0) ? $0 : nil }
    }

    /// The block that was found before, as it is now; nil if it is gone, or damaged. Inside a transfer.
    package mutating func refresh(_ old: RTTControlBlock, in target: some TargetMemory)
        throws(ProvisioningError) -> RTTControlBlock?
    {
        let length =
            RTTControlBlock.headerLength
            + (old.up.count + old.down.count) * pointers.descriptorLength
        let bytes = try target.read(at: old.address, count: length)
        obstacle = .none
        do {
            let new = try RTTControlBlock(
                bytes, at: old.address, pointers: pointers, in: settings.memory)
            return hasChannels(new) ? new : nil
        } catch {
            // Another number of channels than before, if that is all, is found by the next search.
            if error != .noIdentifier { obstacle = .damaged(old.address, error) }
            return nil
        }
    }

    /// Takes the IDs of all blocks away, so that one which is found later is of the firmware that runs
    /// then. With the core halted, before it starts anew.
    package func forget(in target: some TargetMemory) throws(ProvisioningError) {
        let none = [UInt8](repeating: 0, count: RTTControlBlock.identifier.count)
        let places: [UInt64]
        if let address { places = [address] } else { places = try identifiers(in: target) }
        for address in places
        where settings.memory.contains(where: { $0.contains(address, none.count) }) {
            let found = try target.read(at: address, count: none.count)
            // Nothing else is ever overwritten.
            if found == RTTControlBlock.identifier { try target.write(at: address, none) }
        }
    }

    // MARK: Searching

    private mutating func scan(
        _ target: some TargetMemory, until deadline: ContinuousClock.Instant?
    ) throws(ProvisioningError) -> [RTTControlBlock] {
        var blocks: [RTTControlBlock] = []
        for address in try identifiers(in: target, until: deadline) {
            let block = try target.transfer { () throws(ProvisioningError) in
                try self.block(at: address, in: target)
            }
            if let block { blocks.append(block) }
        }
        return blocks
    }

    /// Where something begins as a block does.
    private func identifiers(
        in target: some TargetMemory, until deadline: ContinuousClock.Instant? = nil
    ) throws(ProvisioningError) -> [UInt64] {
        let identifier = RTTControlBlock.identifier
        let step = Int(RTTControlBlock.alignment)
        var found: [UInt64] = []
        for region in settings.memory {
            let first = (UInt64(step) - region.address % UInt64(step)) % UInt64(step)
            var offset = Int(first)
            while region.length - offset >= identifier.count {
                let count = min(Self.scanLength, region.length - offset)
                let address = region.address + UInt64(offset)
                let bytes = try target.transfer { () throws(ProvisioningError) in
                    try target.read(at: address, count: count)
                }
                let last = count - identifier.count
                for start in stride(from: 0, through: last, by: step)
                where bytes[start...].starts(with: identifier) {
                    found.append(address + UInt64(start))
                }
                if let deadline, deadline < .now { return found }
                // The next piece begins with the first place that was not looked at.
                offset += (last / step + 1) * step
            }
        }
        return found
    }

    /// Inside a transfer.
    private mutating func block(at address: UInt64, in target: some TargetMemory)
        throws(ProvisioningError) -> RTTControlBlock?
    {
        let header = RTTControlBlock.headerLength
        do throws(RTTControlBlock.Defect) {
            guard settings.memory.contains(where: { $0.contains(address, header) }) else {
                throw .outsideMemory("it is not in RAM")
            }
        } catch {
            obstacle = .damaged(address, error)
            return nil
        }
        let bytes = try target.read(at: address, count: header)
        let length: Int
        do throws(RTTControlBlock.Defect) {
            length = try RTTControlBlock.length(header: bytes, pointers)
            guard settings.memory.contains(where: { $0.contains(address, length) }) else {
                throw .outsideMemory("its \(length) bytes are not in RAM")
            }
        } catch {
            if error != .noIdentifier { obstacle = .damaged(address, error) }
            return nil
        }
        let rest = try target.read(
            at: address + UInt64(header), count: length - header)
        do throws(RTTControlBlock.Defect) {
            return try RTTControlBlock(
                bytes + rest, at: address, pointers: pointers, in: settings.memory)
        } catch {
            obstacle = .damaged(address, error)
            return nil
        }
    }

    /// The only one; or, of several, the one that is alive.
    private mutating func choose(from blocks: [RTTControlBlock]) -> RTTControlBlock? {
        let usable = blocks.filter { hasChannels($0) }
        guard usable.count > 1 else {
            candidates = []
            return usable.first
        }
        let moving = usable.filter { block in
            candidates.contains { $0.address == block.address && $0 != block }
        }
        candidates = usable
        if moving.count == 1 { return moving[0] }
        obstacle = .several(usable.map(\.address))
        return nil
    }

    private mutating func hasChannels(_ block: RTTControlBlock) -> Bool {
        func has(_ rings: [RTTControlBlock.Ring?], _ number: Int) -> Bool {
            rings.indices.contains(number) && rings[number] != nil
        }
        for (rings, kind, number) in [
            (block.up, "up", settings.up), (block.down, "down", settings.down),
        ] where !has(rings, number) {
            obstacle = .channelMissing(block, kind, number)
            return false
        }
        return true
    }

    // MARK: What to tell

    /// Why nothing was found for as long as `time`.
    package func failure(after time: Duration, in target: some TargetMemory) -> ProvisioningError {
        switch obstacle {
        case .none:
            let place =
                address.map { "at \($0.addressNotation), where the image has it," }
                ?? "in \(settings.memory.map(\.description).joined(separator: " and "))"
            return ProvisioningError(
                .rttNotFound,
                "no RTT control block \(place) after \(time.brief), through \(target.name)",
                hint: "does the firmware start RTT, and is this the chip's RAM?")
        case .damaged(let address, let defect):
            return ProvisioningError(
                .rttDamaged,
                "the RTT control block at \(address.addressNotation) can't be used: \(defect)",
                hint: "does [channel.rtt] of the platform file name all of the chip's RAM?")
        case .channelMissing(let block, let kind, let number):
            return ProvisioningError(
                .rttNotFound,
                "the RTT control block at \(block.address.addressNotation) has no \(kind) "
                    + "channel \(number), of \(kind == "up" ? block.up.count : block.down.count)",
                hint: "[channel.rtt] of the platform file says which channels the firmware has")
        case .several(let addresses):
            let list = addresses.map(\.addressNotation).joined(separator: " and ")
            return ProvisioningError(
                .rttNotFound, "RTT control blocks at \(list), and none of them moves",
                hint: "one is left from earlier firmware: flash the board, or switch it off and on")
        }
    }
}
