import Channels
import Foundation
import Provisioning
import TOMLKit

/// The text of one platform file, and what names a place in it.
struct PlatformDocument {
    /// What messages call the file.
    let file: String
    let text: String
    /// Not so where an adapter said what the text is: then nobody finds anything at a line of the file.
    let hasLines: Bool

    /// Bytes. A platform file has about one thousand.
    static let maximumLength = 65_536

    /// - Throws: `.platformInvalid` unless `bytes` is at most 64 KiB of UTF-8 without NUL.
    init(file: String, bytes: [UInt8], hasLines: Bool = true) throws(ProvisioningError) {
        guard bytes.count <= Self.maximumLength else { throw Self.oversized(file) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProvisioningError(
                .platformInvalid, "\(file): not UTF-8", hint: "save it as UTF-8")
        }
        // The parser is C++ behind C strings, which end at a NUL.
        guard !Self.hasNUL(bytes) else {
            throw ProvisioningError(
                .platformInvalid, "\(file): contains a NUL character",
                hint: "save it as UTF-8, and write no \\u0000")
        }
        self.file = file
        self.text = text
        self.hasLines = hasLines
    }

    /// Also an escaped one: `\u0000`, `\U00000000`.
    private static func hasNUL(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == 0 { return true }
            guard byte == UInt8(ascii: "\\") else { continue }
            if rest.starts(with: "u0000".utf8) || rest.starts(with: "U00000000".utf8) {
                return true
            }
        }
        return false
    }

    /// - Throws: `.platformInvalid` for what can't be read.
    static func read(_ path: String) throws(ProvisioningError) -> [UInt8] {
        guard let bytes = try readIfThere(path) else {
            throw ProvisioningError(
                .platformInvalid, "\(path) can't be read: \(SystemError(ENOENT))",
                hint: "is the path right?")
        }
        return bytes
    }

    /// Nil: there is no such file.
    static func readIfThere(_ path: String) throws(ProvisioningError) -> [UInt8]? {
        do {
            // Without waiting: a pipe of that name must not hold the tool up.
            return try FileBytes.read(path, limit: maximumLength)
        } catch {
            switch error {
            case SystemError(ENOENT), SystemError(ENOTDIR): return nil
            case SystemError(EISDIR):
                throw ProvisioningError(
                    .platformInvalid, "\(path) is a folder, not a file",
                    hint: "name the file in it, or rename the folder")
            case FileBytes.tooLarge: throw oversized(path)
            default:
                throw ProvisioningError(
                    .platformInvalid, "\(path) can't be read: \(error)",
                    hint: error == SystemError(ELOOP)
                        ? "a link there leads to itself: remove it" : "may you read it?")
            }
        }
    }

    private static func oversized(_ file: String) -> ProvisioningError {
        ProvisioningError(
            .platformInvalid, "\(file) has more than \(maximumLength) bytes",
            hint: "is it the right file? such a file has about one thousand")
    }

    func parse() throws(ProvisioningError) -> TOMLTable {
        if let (line, reason) = TOMLPrecheck.firstOffence(in: text) {
            throw notTOML(":\(line)", reason)
        }
        do {
            return try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw notTOML(":\(error.source.begin.line)", error.description)
        } catch {
            throw notTOML("", "\(error)")
        }
    }

    private func notTOML(_ line: String, _ reason: String) -> ProvisioningError {
        ProvisioningError(
            .platformInvalid, "\(file)\(line): not TOML: \(reason)",
            hint: "how it is written says https://toml.io; \(trial)")
    }

    /// What tells whether the file is right now.
    private var trial: String {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        if name == PackageSettings.fileName { return "provision doctor tells whether it is right" }
        return name.hasSuffix(".toml")
            ? "try it with provision platforms validate \(file)"
            : "try it with provision check \(file)"
    }

    /// A `.platformInvalid` error that names the file, and the line of `key` where it can be found.
    func invalid(
        _ reason: String, at path: [String], key: String? = nil, hint: String? = nil
    ) -> ProvisioningError {
        let place = (hasLines ? line(of: key, in: path) : nil).map { "\(file):\($0)" } ?? file
        return ProvisioningError(
            .platformInvalid, "\(place): \(reason)", hint: hint ?? "change it there; \(trial)")
    }

    /// The line, from 1, where `key` stands in the table `path`, else the line of the table.
    ///
    /// The parser keeps no positions, so this looks at the beginnings of lines. Inside inline tables
    /// and multi-line strings it may find the line of what contains them: good enough for people.
    func line(of key: String?, in path: [String]) -> Int? {
        var table: [String] = []
        var tableLine: Int?
        var lineNumber = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            lineNumber += 1
            let content = line.drop(while: \.isWhitespace)
            if content.hasPrefix("[") {
                table = Self.keys(content.drop { $0 == "[" }.prefix { $0 != "]" })
                if table == path { tableLine = lineNumber }
                if let key, table.starts(with: path + [key]) { return lineNumber }
            } else if let equals = content.firstIndex(of: "=") {
                let full = table + Self.keys(content[..<equals])
                if let key, full.starts(with: path + [key]) { return lineNumber }
                if full == path { tableLine = lineNumber }
            }
        }
        return tableLine
    }

    /// The parts of a dotted key.
    private static func keys(_ text: some StringProtocol) -> [String] {
        text.split(separator: ".").map { part in
            String(part.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" })
        }
    }
}
