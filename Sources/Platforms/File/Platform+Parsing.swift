import Attestation
import Channels
import Issuance
import PlatformAdapter
public import Provisioning

extension Platform {
    /// Reads a platform file, and what it refers to.
    ///
    /// - Parameters:
    ///   - bytes: The text of the file: at most 64 KiB of UTF-8, TOML 1.0.
    ///   - name: The file's name without `.toml`; the file must say the same.
    ///   - file: What messages and `origin` call the file.
    ///   - references: where families and tools are; by default the built-in ones.
    /// - Throws: `.platformInvalid`, which names the file and, where it is known, the line. An unknown
    ///   key at any level is an error.
    public init(
        parsing bytes: [UInt8], name: String, file: String,
        references: PlatformReferences = PlatformReferences()
    ) throws(ProvisioningError) {
        try self.init(
            parsing: bytes, name: name, file: file, references: references, adapter: nil)
    }

    /// - Parameter program: the adapter that said what `bytes` are.
    init(
        parsing bytes: [UInt8], name: String, file: String,
        references: PlatformReferences = PlatformReferences(), adapter program: AdapterProgram?
    ) throws(ProvisioningError) {
        let document = try PlatformDocument(
            file: file, bytes: bytes, hasLines: program == nil)
        let table = try document.parse()
        let own = try PlatformSection<RootKey>(table, at: [], in: document)

        try Self.checkName(own, .name, is: name, of: program)
        guard let description = try own.string(.description) else {
            throw own.missing(.description)
        }
        guard let board = try own.string(.board, atMost: 64) else { throw own.missing(.board) }

        let family = try Self.shared(own, .family, .family, else: nil, references)
        let tool = try Self.shared(own, .tool, .tool, else: family?.toolName, references)
        let layers = [PlatformLayer(table, document), family?.layer, tool?.layer].compactMap(\.self)
        let root = try PlatformSection<RootKey>(layers, at: [])

        self.name = name
        self.description = description
        self.board = board
        self.origin = file
        self.family = family?.reference
        self.tool = tool?.reference
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
        try checkAgreement(own)
        try checkAdapter(own)
    }

    /// - Parameter program: the adapter that is called by it; nil: a file is.
    static func checkName<Key: PlatformKey>(
        _ root: PlatformSection<Key>, _ key: Key, is name: String, of program: AdapterProgram? = nil
    ) throws(ProvisioningError) {
        guard let claimed = try root.string(key) else { throw root.missing(key) }
        guard isName(claimed) else {
            throw root.invalid(
                key, "\"name\" is \"\(claimed)\", not [a-z0-9-]+",
                hint:
                    "name \(program == nil ? "file" : "program") and board in lower case, as my-board"
            )
        }
        guard claimed == name else {
            throw root.invalid(
                key,
                "\"name\" is \"\(claimed)\", the \(program == nil ? "file" : "program")'s name "
                    + "is \"\(name)\"",
                hint: program == nil
                    ? "write name = \"\(name)\", or rename the file"
                    : "leave \"name\" away, or call the program "
                        + "\(AdapterProtocol.programPrefix)\(claimed)")
        }
    }

    /// The family or the tool that the file names, or `standard`.
    private static func shared(
        _ root: PlatformSection<RootKey>, _ key: RootKey, _ kind: SharedPlatformFile.Kind,
        else standard: String?, _ references: PlatformReferences
    ) throws(ProvisioningError) -> SharedPlatformFile? {
        guard let name = try root.string(key, atMost: 64) ?? standard else { return nil }
        if let file = try references.file(kind, named: name) { return file }
        let known = references.names(of: kind)
        throw root.invalid(
            key, "no \(kind.rawValue) is called \"\(name)\"",
            hint: name.nearest(among: known).map { "did you mean \"\($0)\"?" }
                ?? "known: \(known.joined(separator: ", "))")
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
        if chip == nil {
            let flashing = [flash.commands?.flash, flash.commands?.erase, flash.commands?.reset]
            guard !flashing.contains(where: { $0?.placeholders.contains(.chip) == true }) else {
                throw root.invalid(
                    .flash, "a command takes the {chip}, but there is no \"chip\"",
                    hint: "add \"chip\", as the tool calls it")
            }
            guard probedID?.command?.placeholders.contains(.chip) != true else {
                throw root.invalid(
                    .identify, "the command takes the {chip}, but there is no \"chip\"",
                    hint: "add \"chip\", as the tool calls it")
            }
        }
        guard emulation == nil || probedID?.command == nil else {
            throw root.invalid(
                .identify, "an emulated board's own probe reads its ID, but there is a command",
                hint: "leave \"command\" away")
        }
        if case .monitor = flash {
            guard report?.source == .flasher else {
                throw root.invalid(
                    .flash,
                    "\"flash.monitor\" is true, but \"report.from\" is not \"flasher\"",
                    hint: "add [report] with from = \"flasher\", or leave \"monitor\" away")
            }
        } else if report?.source == .flasher {
            throw root.invalid(
                .report, "\"report.from\" is \"flasher\", but \"flash.monitor\" is not true",
                hint: "add monitor = true to [flash], or leave \"from\" away")
        }
        guard channel.kind != .usb || emulation == nil else {
            throw root.invalid(
                .channel, "an emulated board has no USB", hint: "choose \"uart\" or \"rtt\"")
        }
        guard emulation == nil || usbMatches.isEmpty else {
            throw root.invalid(
                .match, "an emulated board is plugged in nowhere, but has a [match]",
                hint: "leave [match] or [emulator] away")
        }
        switch emulation {
        case .process:
            guard channel.rtt == nil else {
                throw root.invalid(
                    .channel, "an emulator of kind \"process\" has no RTT",
                    hint: "choose \"uart\", or the kind \"qemu\"")
            }
            guard case .none = flash else {
                throw root.invalid(
                    .flash,
                    "the emulator runs the image itself, but \"flash.method\" is not \"none\"",
                    hint: "write method = \"none\" into [flash]")
            }
            guard probedID == nil, probe == nil else {
                throw root.invalid(
                    probe == nil ? .identify : .probe,
                    "an emulator of kind \"process\" has no probe",
                    hint: "leave the table away, or choose the kind \"qemu\"")
            }
        case .qemu:
            guard probe == nil else {
                throw root.invalid(
                    .probe, "the emulator is its own probe, but there is a [probe]",
                    hint: "leave [probe] away")
            }
            guard case .gdb = flash else {
                throw root.invalid(
                    .flash, "an emulator of kind \"qemu\" is flashed by \"gdb\", not otherwise",
                    hint: "write method = \"gdb\" into [flash]")
            }
        case nil:
            guard flash != .none else {
                throw root.invalid(
                    .flash,
                    "\"flash.method\" is \"none\", but there is no emulator that runs the image",
                    hint: "choose another method, or add [emulator]: \(Self.flashHint)")
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
            throw section.invalid(
                .name, "the build name \"\(name)\" is not [a-z0-9-]+",
                hint: "write it in lower case, as my-board")
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
        guard !formats.isEmpty else {
            throw section.invalid(
                .formats, "\"formats\" is empty",
                hint: "name one, or leave \"formats\" away for all")
        }
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

    private enum CredentialName: String, CaseIterable {
        case x509, cwt

        var type: CredentialType {
            switch self {
            case .x509: .x509Chain
            case .cwt: .cwt
            }
        }
    }

    static func credentials(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Credentials {
        guard let section = try root.section(.credentials, keys: CredentialsKey.self) else {
            return Credentials(types: [.x509Chain, .cwt], validityDays: nil)
        }
        let names = try section.choices(.types, of: CredentialName.self) ?? [.x509, .cwt]
        var types = Set(names.map(\.type))
        if try section.boolean(.trustAnchors) ?? false { types.insert(.trustAnchors) }
        // 9999-12-31 is X.509's last day; a hundred years stay well before it.
        let days = try section.integer(.validityDays, in: ProvisioningPlan.validityDays)
        return Credentials(types: types, validityDays: days)
    }

    static func timeouts(
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
