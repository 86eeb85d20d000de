public import Attestation
import Foundation
public import Provisioning

/// Reads the ID of a chip with an external tool, through the debug probe or the chip's own loader.
public struct CommandIDReader: DeviceIDReader {
    private let command: DeviceIDCommand
    private let location: DeviceIDLocation?
    private let values: [CommandPlaceholder: String]
    private let directory: String?
    private let timeout: Duration
    private let interruption: Interruption

    /// Lines, and bytes of each. Tools say more than one thing, but not this much.
    private static let maximumLineCount = 1000
    private static let maximumLineLength = 4096
    /// Words of one command: J-Link Commander takes numbers for hexadecimal.
    private static let maximumWordCount = 8

    /// - Parameters:
    ///   - location: where the ID is; a format that is not of memory needs none.
    ///   - values: for `command.placeholders`.
    ///   - timeout: for each run of the tool.
    public init(
        _ command: DeviceIDCommand, location: DeviceIDLocation?,
        values: [CommandPlaceholder: String], directory: String? = nil, timeout: Duration,
        interruption: Interruption
    ) {
        self.command = command
        self.location = location
        self.values = values
        self.directory = directory
        self.timeout = timeout
        self.interruption = interruption
    }

    /// - Throws: `.probeUnavailable` if the tool can't be started, fails, or takes too long;
    ///   `.probeProtocol` if it prints something else than was asked for; `.usage` for a value that must
    ///   not be passed on; `.interrupted`.
    public func readDeviceID() throws(ProvisioningError) -> DeviceID {
        let bytes = command.format.isOfMemory ? try readMemory() : try readID()
        guard let id = DeviceID(bytes) else {
            throw ProvisioningError(
                .probeProtocol, "\(bytes.count) bytes are no device ID: it has 1 to 64")
        }
        return id
    }

    private func readMemory() throws(ProvisioningError) -> [UInt8] {
        guard let location else {
            throw ProvisioningError(
                .probeUnavailable, "the platform does not say where the chip's ID is")
        }
        var bytes: [UInt8] = []
        for region in location.regions {
            // Whole words, which every chip's registers take.
            let start = region.address & ~3
            let end = (region.address + UInt64(region.length) + 3) & ~3
            var found: [UInt8] = []
            for part in stride(from: start, to: end, by: 4 * Self.maximumWordCount) {
                let length = min(end - part, UInt64(4 * Self.maximumWordCount))
                guard let range = AddressRange(address: part, length: Int(length)) else { continue }
                found += try read(range)
            }
            let skipped = Int(region.address - start)
            bytes += found[skipped..<skipped + region.length]
        }
        return location.id(from: bytes)
    }

    private func read(_ region: AddressRange) throws(ProvisioningError) -> [UInt8] {
        let place: [CommandPlaceholder: String] = [
            .address: region.address.addressNotation, .length: String(region.length),
            .words: String(region.length / 4),
        ]
        let lines = try run(values.merging(place) { $1 })
        guard let bytes = command.format.memory(in: lines, of: region) else {
            throw unreadable(
                lines,
                "the \(region.length / 4) words at "
                    + region.address.addressNotation)
        }
        return bytes
    }

    private func readID() throws(ProvisioningError) -> [UInt8] {
        let lines = try run(values)
        guard let id = command.format.id(in: lines) else { throw unreadable(lines, "a chip's ID") }
        if let location, location.length != id.count {
            throw ProvisioningError(
                .probeProtocol,
                "\(program) printed an ID of \(id.count) bytes, the platform says "
                    + "\(location.length)")
        }
        return id
    }

    private var program: String { command.command.arguments[0] }

    private func unreadable(_ lines: [String], _ what: String) -> ProvisioningError {
        let last = lines.last { !$0.isEmpty } ?? "nothing"
        return ProvisioningError(
            .probeProtocol,
            "\(program) did not print \(what) as \"\(command.format.rawValue)\" has it; its last "
                + "line: \(PlainText.sanitized(last.utf8.prefix(200)))",
            hint: "run it by hand; what is to be read stands in [identify] of the platform file")
    }

    // MARK: Running

    private func run(_ values: [CommandPlaceholder: String]) throws(ProvisioningError) -> [String] {
        guard !command.script.isEmpty else { return try execute(values) }
        var text = ""
        for line in command.script {
            text += try line.filled(with: values).joined() + "\n"
        }
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("provision-\(UUID().uuidString)").path
        let isWritten = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        guard isWritten else {
            throw ProvisioningError(
                .probeUnavailable, "the script for \(program) can't be written to \(path)",
                hint: "is there room, and may you write there?")
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try execute(values.merging([.script: path]) { $1 })
    }

    private func execute(
        _ values: [CommandPlaceholder: String]
    ) throws(ProvisioningError) -> [String] {
        var lines: [String] = []
        var isTooMuch = false
        let runner = CommandRunner(interruption: interruption) { output in
            guard lines.count < Self.maximumLineCount,
                output.line.utf8.count <= Self.maximumLineLength
            else { return isTooMuch = true }
            lines.append(output.line)
        }
        let arguments = try command.command.filled(with: values)
        do {
            try runner.run(
                Command(arguments, directory: directory), timeout: timeout,
                failure: .probeUnavailable)
        } catch {
            guard error.code == .probeUnavailable, error.hint == nil else { throw error }
            throw ProvisioningError(
                error.code, error.reason,
                hint: "is the board attached and the probe free? then run it again")
        }
        guard !isTooMuch else {
            throw ProvisioningError(
                .probeProtocol,
                "\(program) printed more than \(Self.maximumLineCount) lines, or one of more than "
                    + "\(Self.maximumLineLength) bytes")
        }
        return lines
    }
}
