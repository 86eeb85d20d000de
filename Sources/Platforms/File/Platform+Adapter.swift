public import Channels
public import PlatformAdapter
public import Provisioning

extension Platform {
    /// The program that flashes the board, reads its ID and carries its channel.
    public struct Adapter: Sendable, Hashable {
        /// Of `provision-platform-NAME`.
        public let name: String
        /// Where it is looked for before `PATH`: the platform file's folder. Nil: the file is built in.
        public let folder: String?
        /// The program that described this platform. Nil: it is to be found.
        let program: AdapterProgram?

        /// - Throws: `.adapterFailed` if there is no such program.
        public func find() throws(ProvisioningError) -> AdapterProgram {
            if let found = program ?? AdapterProgram.find(name, beside: folder) { return found }
            let file = AdapterProtocol.programPrefix + name
            throw ProvisioningError(
                .adapterFailed,
                "there is no program \(file) "
                    + (folder.map { "in \($0), nor " } ?? "") + "in the folders of PATH",
                hint: AdapterProgram.hint(for: name, beside: folder)
                    ?? "install it there; the current folder is never looked into")
        }
    }

    /// What an adapter says of its platform, when asked: the keys of a platform file, as an object of JSON.
    ///
    /// - Throws: `.platformInvalid`, which names the program.
    public init(
        _ description: AdapterValue?, of program: AdapterProgram
    ) throws(ProvisioningError) {
        guard case .object(let keys)? = description else {
            throw ProvisioningError(
                .platformInvalid, "\(program) does not describe its platform",
                hint: "write a platform file \(program.name).toml with [adapter] beside it")
        }
        guard keys[RootKey.adapter.rawValue] == nil else {
            throw ProvisioningError(
                .platformInvalid,
                "\(program): an adapter's platform is its own, and has no \"adapter\"",
                hint: "leave \"adapter\" away")
        }
        var text = ""
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
            text += "\(AdapterLine.quoted(key)) = \(try value.toml(program))\n"
        }
        if keys[RootKey.name.rawValue] == nil {
            text += "name = \(AdapterLine.quoted(program.name))\n"
        }
        text += "adapter = { name = \(AdapterLine.quoted(program.name)) }\n"
        try self.init(
            parsing: Array(text.utf8), name: program.name, file: program.path, adapter: program)
    }

    static func adapter(
        _ root: PlatformSection<RootKey>, file: String, program: AdapterProgram?
    ) throws(ProvisioningError) -> Adapter? {
        guard let section = try root.section(.adapter, keys: AdapterKey.self) else { return nil }
        guard let name = try section.string(.name, atMost: 64) else { throw section.missing(.name) }
        guard isName(name) else {
            throw section.invalid(
                .name, "the adapter's name \"\(name)\" is not [a-z0-9-]+",
                hint: "it is what follows provision-platform- in the program's name")
        }
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) }
        return Adapter(name: name, folder: program == nil ? folder : nil, program: program)
    }

    /// What the tables of an adapter's platform must not contradict.
    func checkAdapter(_ root: PlatformSection<RootKey>) throws(ProvisioningError) {
        guard adapter == nil else {
            guard emulation == nil else {
                throw root.invalid(
                    .adapter, "an emulated board has no [adapter]",
                    hint: "leave [adapter] or [emulator] away")
            }
            guard flash == .adapter || channel.kind == .adapter else {
                throw root.invalid(
                    .adapter,
                    "there is an [adapter], but neither \"flash.method\" nor \"channel.kind\" is "
                        + "\"adapter\"", hint: "set one of them, or leave [adapter] away")
            }
            return
        }
        if flash == .adapter {
            throw root.invalid(
                .flash, "\"flash.method\" is \"adapter\", but there is no [adapter]",
                hint: "add [adapter] with its \"name\", or choose another method")
        }
        if channel.kind == .adapter {
            throw root.invalid(
                .channel, "\"channel.kind\" is \"adapter\", but there is no [adapter]",
                hint: "add [adapter] with its \"name\", or choose another kind")
        }
    }
}

extension AdapterValue {
    /// As the value of a key in TOML, which shares JSON's strings, TOML v1.0.0.
    fileprivate func toml(_ program: AdapterProgram) throws(ProvisioningError) -> String {
        switch self {
        case .flag(let flag): return flag ? "true" : "false"
        case .integer(let integer): return String(integer)
        case .text(let text): return AdapterLine.quoted(text)
        case .list(let values):
            var texts: [String] = []
            for value in values { texts.append(try value.toml(program)) }
            return "[\(texts.joined(separator: ", "))]"
        case .object(let keys):
            var texts: [String] = []
            for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
                texts.append("\(AdapterLine.quoted(key)) = \(try value.toml(program))")
            }
            return "{ \(texts.joined(separator: ", ")) }"
        case .null:
            throw ProvisioningError(
                .platformInvalid, "\(program): no key of a platform is null",
                hint: "leave the key away")
        case .number(let number):
            throw ProvisioningError(
                .platformInvalid,
                "\(program): \(number) is no whole number of 64 bits, as a platform's are",
                hint: "write it without a fraction, in the range of its key")
        }
    }
}
