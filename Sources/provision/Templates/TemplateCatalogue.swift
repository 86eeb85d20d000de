import Channels
import Foundation
import Provisioning

/// The templates of this installation. A folder of them that has files is one; a folder that has but folders, and
/// maybe a README.md, is a group of them.
struct TemplateCatalogue {
    /// The folder of templates, with links resolved.
    let folder: URL
    /// The package that templates depend on, wherever they are copied to: the templates' parent.
    var package: URL { folder.deletingLastPathComponent() }

    struct Template: Encodable, Sendable {
        /// `embedded-swift`, `hooks/cmake`.
        let name: String
        /// The first heading of its README.
        let title: String
        let path: String

        var shortName: String { name.split(separator: "/").last.map(String.init) ?? name }
    }

    /// Names the folder of templates, in the place of the installed ones.
    static let variable = "PROVISION_TEMPLATES"

    /// Of the executable that runs: `share/provision/templates` beside its `bin`, or `Templates` of the
    /// package that it was built in.
    ///
    /// - Throws: `.usage`, which says where they were looked for.
    static func installed(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: URL? = Bundle.main.executableURL
    ) throws(ProvisioningError) -> TemplateCatalogue {
        if let named = environment[variable], !named.isEmpty {
            guard isFolder(URL(filePath: named)) else {
                throw ProvisioningError(
                    .usage, "\(variable) is \(named), which is no folder",
                    hint: "name the folder of templates with it, or unset it")
            }
            return TemplateCatalogue(folder: URL(filePath: named))
        }
        let program = executable?.resolvingSymlinksInPath() ?? URL(filePath: "/")
        var parent = program.deletingLastPathComponent()
        // A build folder lies at most so deep in its package.
        for _ in 0..<8 {
            for place in [parent.appending(path: "share/provision/templates"), tree(parent)]
            where place.map(isFolder) == true {
                if let place { return TemplateCatalogue(folder: place) }
            }
            parent = parent.deletingLastPathComponent()
        }
        throw ProvisioningError(
            .usage, "there are no templates beside \(program.path)",
            hint: "install it with Scripts/install, or name their folder with \(variable)")
    }

    init(folder: URL) { self.folder = folder.resolvingSymlinksInPath().standardizedFileURL }

    /// `Templates` of this package's own tree, and of no other that has a folder of that name.
    private static func tree(_ parent: URL) -> URL? {
        isFolder(parent.appending(path: "Sources/DeviceProvisioning"))
            ? parent.appending(path: "Templates") : nil
    }

    private static func isFolder(_ url: URL) -> Bool {
        var isDirectory = ObjCBool(false)
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
            && isDirectory.boolValue
    }

    /// In the order of their names.
    func templates() throws(ProvisioningError) -> [Template] {
        var found: [Template] = []
        for name in names(in: folder, folders: true) {
            let entry = folder.appending(path: name)
            if names(in: entry, folders: false).contains(where: { $0 != Self.readme }) {
                found.append(template(name))
            } else {
                found += names(in: entry, folders: true).map { template("\(name)/\($0)") }
            }
        }
        guard found.isEmpty else { return found }
        throw ProvisioningError(
            .usage, "\(folder.path) has no templates",
            hint: "install them with Scripts/install, or name their folder with \(Self.variable)")
    }

    private static let readme = "README.md"

    private func names(in folder: URL, folders: Bool) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter {
            !$0.hasPrefix(".") && Self.isFolder(folder.appending(path: $0)) == folders
        }.sorted()
    }

    private func template(_ name: String) -> Template {
        let url = folder.appending(path: name)
        let bytes = try? Self.read(url.appending(path: Self.readme))
        let lines = String(decoding: bytes ?? Data(), as: UTF8.self).split(separator: "\n")
        let heading = lines.first { $0.hasPrefix("# ") }?.dropFirst(2)
        return Template(name: name, title: heading.map(String.init) ?? name, path: url.path)
    }

    /// Bytes of one file: far more than any template has.
    private static let maximumLength = 4 << 20

    /// A regular file, which a pipe of that name is not, nor a link.
    static func read(_ url: URL) throws(ProvisioningError) -> Data {
        let values = try? url.resourceValues(forKeys: [.isRegularFileKey])
        guard values?.isRegularFile == true,
            let bytes = try? FileBytes.readRegular(url.path, limit: maximumLength)
        else {
            throw ProvisioningError(
                .usage,
                "\(url.path) is no file of a template: it can't be read, or is over 4 MiB",
                hint: "install it anew with Scripts/install")
        }
        return Data(bytes)
    }

    /// - Throws: `.usage`, which names the nearest and lists the known ones, or those that share a name.
    func template(named name: String) throws(ProvisioningError) -> Template {
        let all = try templates()
        if let template = all.first(where: { $0.name == name }) { return template }
        let named = all.filter { $0.shortName == name }
        if let only = named.first, named.count == 1 { return only }
        guard named.isEmpty else {
            throw ProvisioningError(
                .usage, "\(named.count) templates are called \"\(name)\"",
                hint: "name one of them: \(named.map(\.name).joined(separator: ", "))")
        }
        let nearest = name.nearest(among: all.flatMap { [$0.name, $0.shortName] })
        throw ProvisioningError(
            .usage, "no template is called \"\(name)\"",
            hint: (nearest.map { "did you mean \($0)? " } ?? "")
                + "known: \(all.map(\.name).joined(separator: ", "))")
    }
}
