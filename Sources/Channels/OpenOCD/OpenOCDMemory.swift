public import Provisioning

/// A target's memory through OpenOCD's Tcl port, while the core runs: for boards whose GDB connection a
/// debugger holds. OpenOCD User's Guide, "Memory access commands".
///
/// OpenOCD reads RTT by itself, too; but it drops what does not fit a full ring, and does not find a block
/// that a reset has moved.
package final class OpenOCDMemory: TargetMemory {
    private let control: OpenOCDControl

    /// Words of one command. OpenOCD's own limit is 64 Ki bytes.
    private static let maximumCount = 1024

    package init(_ control: OpenOCDControl) { self.control = control }

    package var name: String { control.name }
    package var haltsCore: Bool { false }
    package var requestLength: Int { 4 * Self.maximumCount }

    package func beginTransfer() {}
    package func endTransfer() {}

    package func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        guard count > 0 else { return [] }
        // Whole words, which every chip's memory and registers take.
        let start = address & ~3
        let end = (address + UInt64(count) + 3) & ~3
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(end - start))
        while bytes.count < Int(end - start) {
            let words = min(Self.maximumCount, (Int(end - start) - bytes.count) / 4)
            bytes += try readWords(at: start + UInt64(bytes.count), count: words)
        }
        let skipped = Int(address - start)
        return Array(bytes[skipped..<skipped + count])
    }

    package func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        var (address, rest) = (address, bytes[...])
        while !rest.isEmpty {
            let width = address.isMultiple(of: 4) && rest.count >= 4 ? 4 : 1
            let toWord = width == 1 ? Int((4 - address % 4) % 4) : 0
            let count =
                width == 4
                ? min(rest.count / 4 * 4, Self.maximumCount * 4)
                : min(rest.count, toWord == 0 ? rest.count : toWord)
            let part = rest.prefix(count)
            let numbers = stride(from: part.startIndex, to: part.endIndex, by: width).map { index in
                let number = part[index..<index + width].reversed().reduce(0) { $0 << 8 | Int($1) }
                return "0x\(String(number, radix: 16))"
            }
            let place = address.addressNotation
            try control.require(
                "write_memory \(place) \(width * 8) {\(numbers.joined(separator: " "))}")
            rest = rest.dropFirst(count)
            address += UInt64(count)
        }
    }

    private func readWords(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        let request = "read_memory \(address.addressNotation) 32 \(count)"
        let words = try control.require(request).split(separator: " ")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * count)
        for text in words.prefix(count) {
            guard text.hasPrefix("0x"), let word = UInt32(text.dropFirst(2), radix: 16) else {
                break
            }
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        guard bytes.count == 4 * count, words.count == count else {
            throw ProvisioningError(
                .probeProtocol,
                "\(name) answered \(request) with \(words.count) words, not \(count)",
                hint: "is this OpenOCD's Tcl port, of version 0.12 or later?")
        }
        return bytes
    }
}

extension RTTChannel {
    /// RTT in the target of an OpenOCD, through its Tcl port.
    ///
    /// - Parameters:
    ///   - image: what was flashed, and runs now: it may say where its control block is. Nil: anything.
    ///   - timeout: for finding the block now, and after each reset.
    /// - Throws: `.rttNotFound` if there is none in time; and what `OpenOCDControl` throws.
    public convenience init(
        _ control: OpenOCDControl, _ settings: RTTSettings, of image: FirmwareImage? = nil,
        within timeout: Duration, interruption: Interruption
    ) throws(ProvisioningError) {
        try self.init(
            OpenOCDMemory(control), settings, locator: RTTLocator(settings, of: image),
            within: timeout, interruption: interruption)
    }
}
