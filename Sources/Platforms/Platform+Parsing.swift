import Attestation
import Channels
import Issuance
public import Provisioning

extension Platform {
    /// Reads a platform file.
    ///
    /// - Parameters:
    ///   - bytes: The text of the file: at most 64 KiB of UTF-8, TOML 1.0.
    ///   - name: The file's name without `.toml`; the file must say the same.
    ///   - file: What messages and `origin` call the file.
    /// - Throws: `.platformInvalid`, which names the file and, where it is known, the line. An unknown
    ///   key at any level is an error.
    public init(
        parsing bytes: [UInt8], name: String, file: String
    ) throws(ProvisioningError) {
        try self.init(parsing: bytes, name: name, file: file, adapter: nil)
    }

    /// - Parameter program: the adapter that said what `bytes` are.
    init(
        parsing bytes: [UInt8], name: String, file: String, adapter program: AdapterProgram?
    ) throws(ProvisioningError) {
        let document = try PlatformDocument(file: file, bytes: bytes)
        let root = try PlatformSection<RootKey>(document.parse(), at: [], in: document)

        guard let claimedName = try root.string(.name) else { throw root.missing(.name) }
        guard Self.isName(claimedName) else {
            throw root.invalid(.name, "\"name\" is \"\(claimedName)\", not [a-z0-9-]+")
        }
        guard claimedName == name else {
            throw root.invalid(
                .name, "\"name\" is \"\(claimedName)\", the file's name is \"\(name)\"")
        }
        guard let description = try root.string(.description) else {
            throw root.missing(.description)
        }
        guard let board = try root.string(.board, atMost: 64) else { throw root.missing(.board) }

        self.name = name
        self.description = description
        self.board = board
        self.origin = file
        chip = try root.string(.chip, atMost: 64)
        usbMatches = try Self.usbMatches(root)
        build = try Self.build(root, board: board)
        report = try Self.report(root)
        adapter = try Self.adapter(root, file: file, program: program)
        channel = try Self.channel(root, isOptional: report?.source == .flasher)
        credentials = try Self.credentials(root)
        timeouts = try Self.timeouts(root)
        probe = try Self.probe(root)
        (flash, touchBaud) = try Self.flash(root)
        identification = try Self.identification(root)
        emulation = try Self.emulation(root)
        try checkAgreement(root)
        try checkAdapter(root)
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    /// What no table can see by itself.
    private func checkAgreement(_ root: PlatformSection<RootKey>) throws(ProvisioningError) {
        if let commands = flash.commands, chip == nil {
            let all = [commands.flash, commands.erase, commands.reset].compactMap(\.self)
            guard !all.contains(where: { $0.placeholders.contains(.chip) }) else {
                throw root.invalid(.flash, "a command takes the {chip}, but there is no \"chip\"")
            }
        }
        if case .monitor = flash {
            guard report?.source == .flasher else {
                throw root.invalid(
                    .flash,
                    "\"flash.monitor\" is true, but \"report.from\" is not \"flasher\"")
            }
        } else if report?.source == .flasher {
            throw root.invalid(
                .report, "\"report.from\" is \"flasher\", but \"flash.monitor\" is not true")
        }
        guard channel.kind != .usb || emulation == nil else {
            throw root.invalid(.channel, "an emulated board has no USB")
        }
        guard emulation == nil || usbMatches.isEmpty else {
            throw root.invalid(.match, "an emulated board is plugged in nowhere, but has a [match]")
        }
        switch emulation {
        case .process:
            guard channel.rtt == nil else {
                throw root.invalid(.channel, "an emulator of kind \"process\" has no RTT")
            }
            guard case .none = flash else {
                throw root.invalid(
                    .flash,
                    "the emulator runs the image itself, but \"flash.method\" is not \"none\"")
            }
            guard identification == nil, probe == nil else {
                throw root.invalid(
                    probe == nil ? .identify : .probe,
                    "an emulator of kind \"process\" has no probe")
            }
        case .qemu:
            guard probe == nil else {
                throw root.invalid(.probe, "the emulator is its own probe, but there is a [probe]")
            }
            guard case .gdb = flash else {
                throw root.invalid(
                    .flash, "an emulator of kind \"qemu\" is flashed by \"gdb\", not otherwise")
            }
        case nil:
            guard flash != .none else {
                throw root.invalid(
                    .flash,
                    "\"flash.method\" is \"none\", but there is no emulator that runs the image")
            }
        }
    }

    private static func build(
        _ root: PlatformSection<RootKey>, board: String
    ) throws(ProvisioningError) -> Build? {
        guard let section = try root.section(.build, keys: BuildKey.self) else { return nil }
        let placeholders: Set<CommandPlaceholder> = [.scratch, .package, .board]
        let name = try section.string(.name) ?? board
        // It becomes a folder's name.
        guard isName(name) else {
            throw section.invalid(.name, "the build name \"\(name)\" is not [a-z0-9-]+")
        }
        guard let command = try section.command(.command, allowing: placeholders) else {
            throw section.missing(.command)
        }
        guard let image = try section.template(.image, allowing: placeholders) else {
            throw section.missing(.image)
        }
        return Build(name: name, command: command, image: image, board: board)
    }

    private static func report(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Report? {
        guard let section = try root.section(.report, keys: ReportKey.self) else { return nil }
        let formats =
            try section.choices(.formats, of: ReportFormat.self) ?? Set(ReportFormat.allCases)
        guard !formats.isEmpty else { throw section.invalid(.formats, "\"formats\" is empty") }
        return Report(
            formats: formats,
            source: try section.choice(.from, of: Report.Source.self) ?? .channel)
    }

    private static func probe(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> ProbeEndpoint? {
        guard let section = try root.section(.probe, keys: ProbeKey.self) else { return nil }
        guard let endpoint = try section.string(.endpoint) else { throw section.missing(.endpoint) }
        do {
            return try ProbeEndpoint(parsing: endpoint)
        } catch {
            throw section.invalid(.endpoint, error.reason, hint: error.hint)
        }
    }

    private static func identification(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Identification? {
        guard let section = try root.section(.identify, keys: IdentifyKey.self) else { return nil }
        guard let address = try section.integer(.address, in: addresses) else {
            throw section.missing(.address)
        }
        guard let length = try section.integer(.length, in: 1...64) else {
            throw section.missing(.length)
        }
        let usesWordAccess = try section.boolean(.wordAccess) ?? false
        guard !usesWordAccess || (address.isMultiple(of: 4) && length.isMultiple(of: 4)) else {
            throw section.invalid(
                .wordAccess, "\"word-access\" needs an address and a length that are multiples of 4"
            )
        }
        return Identification(
            region: try section.range(address, length, .length),
            width: usesWordAccess ? .word : .any)
    }

    private enum CredentialName: String, CaseIterable {
        case x509, cwt

        var type: CredentialType {
            switch self {
            case .x509: .x509Chain
            case .cwt: .cwt
            }
        }
    }

    private static func credentials(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Credentials {
        guard let section = try root.section(.credentials, keys: CredentialsKey.self) else {
            return Credentials(types: [.x509Chain, .cwt], validityDays: nil)
        }
        let names = try section.choices(.types, of: CredentialName.self) ?? [.x509, .cwt]
        var types = Set(names.map(\.type))
        if try section.boolean(.trustAnchors) ?? false { types.insert(.trustAnchors) }
        // 9999-12-31 is X.509's last day; a hundred years stay well before it.
        let days = try section.integer(.validityDays, in: 1...36_500)
        return Credentials(types: types, validityDays: days)
    }

    private static func timeouts(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Timeouts {
        guard let section = try root.section(.timeouts, keys: TimeoutsKey.self) else {
            return Timeouts()
        }
        var values: [Timeout: Duration] = [:]
        for key in TimeoutsKey.allCases {
            values[key.timeout] = try section.integer(key, in: 1...3_600_000).map {
                .milliseconds($0)
            }
        }
        return Timeouts(values)
    }
}
