import Channels
import Foundation
import Provisioning

/// Makes a new folder from a template: all or nothing.
struct TemplateCopy {
    private let template: TemplateCatalogue.Template
    private let catalogue: TemplateCatalogue

    /// Far more than any template has: what is larger is none.
    private static let maximumFileCount = 2000
    /// What building a template in its place leaves there.
    private static let products: Set<String> = [
        "Package.resolved", "Vendor", "build", "target", "__pycache__", ".swiftpm", ".pio",
    ]
    /// Manifests that say by a path which package they depend on.
    private static let manifests: Set<String> = ["Package.swift", "Cargo.toml"]

    init(_ template: TemplateCatalogue.Template, in catalogue: TemplateCatalogue) {
        self.template = template
        self.catalogue = catalogue
    }

    /// - Parameters:
    ///   - path: absolute. There may be an empty folder.
    ///   - interruption: looked at before each file.
    /// - Returns: the files' paths in it.
    /// - Throws: `.usage` if there is something, nothing can be made there, or the template has nothing;
    ///   `.interrupted`. Then nothing is left of it.
    func make(at path: String, _ interruption: Interruption) throws(ProvisioningError) -> [String] {
        try checkPlace(path)
        let files = try contents()
        guard !files.isEmpty else {
            throw ProvisioningError(
                .usage, "the template \(template.name) in \(template.path) has no files",
                hint: "put files there: links and pipes are not copied")
        }
        let place = URL(filePath: path)
        // A folder that is there is filled, for somebody may stand in it. Else it is made beside its
        // place, and appears there as a whole.
        let isThere = FileManager.default.fileExists(atPath: path)
        let around = isThere ? place : place.deletingLastPathComponent()
        let draft = around.appending(path: ".provision-init-\(UUID().uuidString.prefix(8))")
        let missing = Self.missingFolders(to: around.path)
        do {
            try write(files, to: draft, interruption)
            try Self.move(draft, to: place, filling: isThere)
            return files.keys.sorted()
        } catch {
            try? FileManager.default.removeItem(at: draft)
            // What others have put there meanwhile keeps its folder.
            for folder in missing { rmdir(folder) }
            throw error as? ProvisioningError
                ?? Self.unusable(
                    path,
                    SystemError(below: error)?.description
                        ?? (error as NSError).localizedDescription)
        }
    }

    private func write(
        _ files: [String: URL], to draft: URL, _ interruption: Interruption
    ) throws {
        try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: true)
        for (name, source) in files {
            try interruption.check()
            let target = draft.appending(path: name)
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text(of: source).write(to: target, options: .withoutOverwriting)
            let attributes = try FileManager.default.attributesOfItem(atPath: source.path)
            guard let mode = attributes[.posixPermissions] as? Int else { continue }
            // A copy runs with nobody else's rights, whatever the template does.
            try FileManager.default.setAttributes(
                [.posixPermissions: mode & 0o777], ofItemAtPath: target.path)
        }
        try interruption.check()
    }

    /// In the place of an empty folder, and of nothing else; or into it.
    private static func move(_ draft: URL, to place: URL, filling isThere: Bool) throws {
        var moves = [(draft.path, place.path)]
        if isThere {
            moves = try FileManager.default.contentsOfDirectory(atPath: draft.path).map {
                (draft.appending(path: $0).path, place.appending(path: $0).path)
            }
        }
        for (index, move) in moves.enumerated() where rename(move.0, move.1) != 0 {
            let cause = errno
            for done in moves[..<index] { rename(done.1, done.0) }
            throw unusable(place.path, String(cString: strerror(cause)))
        }
        if isThere { try FileManager.default.removeItem(at: draft) }
    }

    /// The folders that have to be made for `path` to be one, the deepest first.
    private static func missingFolders(to path: String) -> [String] {
        var folders: [String] = []
        var folder = path
        while !FileManager.default.fileExists(atPath: folder), folder != "/" {
            folders.append(folder)
            folder = folder.containingFolder
        }
        return folders
    }

    private static func unusable(_ path: String, _ reason: String) -> ProvisioningError {
        ProvisioningError(
            .usage, "\(path) can't be made: \(reason)", hint: "name another folder")
    }

    private func checkPlace(_ path: String) throws(ProvisioningError) {
        var isFolder = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        let entries = try? FileManager.default.contentsOfDirectory(atPath: path)
        guard isFolder.boolValue, entries?.isEmpty == true else {
            throw ProvisioningError(
                .usage,
                isFolder.boolValue ? "\(path) is not empty" : "\(path) is there, and no folder",
                hint: "name a folder that is not there yet: provision init \(template.name) FOLDER")
        }
    }

    /// What the new folder will hold, and where it is taken from.
    private func contents() throws(ProvisioningError) -> [String: URL] {
        var files: [String: URL] = [:]
        try add(URL(filePath: template.path), as: "", to: &files)
        guard files["device/README.md"] != nil else { return files }
        // The device library, and the board that is a process.
        try add(
            catalogue.package.appending(path: "Sources/DeviceProvisioning"), as: "device/",
            to: &files)
        let board = catalogue.folder.appending(path: "embedded-swift/Sources/Board")
        for name in ["native.c", "flash_range.h", "include/board.h"] {
            files["device/\(URL(filePath: name).lastPathComponent)"] = board.appending(path: name)
        }
        return files
    }

    private func add(
        _ folder: URL, as prefix: String, to files: inout [String: URL]
    ) throws(ProvisioningError) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        } catch {
            throw ProvisioningError(
                .usage, "the template \(template.name) needs \(folder.path), which is not there",
                hint: "install it anew with Scripts/install")
        }
        for name in names.sorted() where !Self.products.contains(name) && !name.hasPrefix(".build")
        {
            let entry = folder.appending(path: name)
            let kind = try? entry.resourceValues(forKeys: [.isDirectoryKey, .isRegularFileKey])
            if kind?.isDirectory == true {
                try add(entry, as: "\(prefix)\(name)/", to: &files)
            } else if kind?.isRegularFile == true {
                files["\(prefix)\(name)"] = entry
            }
            guard files.count <= Self.maximumFileCount else {
                throw ProvisioningError(
                    .usage, "\(template.path) has over \(Self.maximumFileCount) files",
                    hint: "that is no template; provision init --list shows which there are")
            }
        }
    }

    /// A manifest's relative paths out of the template, to the package that it came from, are absolute in
    /// the copy.
    private func text(of source: URL) throws(ProvisioningError) -> Data {
        let bytes = try TemplateCatalogue.read(source)
        guard Self.manifests.contains(source.lastPathComponent) else { return bytes }
        let root = URL(filePath: template.path).standardizedFileURL.path
        let package = catalogue.package.path
        let folder = source.deletingLastPathComponent()
        var parts = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices where index % 2 == 1 && parts[index].hasPrefix("..") {
            // `path: "../.."` in Swift, `path = "../.."` in TOML; a search path for headers stays.
            let before = parts[index - 1].filter { !$0.isWhitespace }
            guard before.hasSuffix("path:") || before.hasSuffix("path=") else { continue }
            let path = folder.appending(path: parts[index]).standardizedFileURL.path
            let isInside = path == root || path.hasPrefix(root + "/")
            guard !isInside, path == package || path.hasPrefix(package + "/") else { continue }
            parts[index] = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        }
        return Data(parts.joined(separator: "\"").utf8)
    }
}
