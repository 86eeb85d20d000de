import ArgumentParser
import Attestation
import Foundation
import Registry

/// What a peer may do with a CoAP server's resources, as Ariel OS's `peers.yml` has it: everything, or some
/// methods of some paths. `allow-all`, or `/temperature=GET;/led=GET,PUT`.
enum AccessScope: Hashable, Sendable {
    case all
    /// Never empty; each path once, in the user's order.
    case paths([Path])

    struct Path: Hashable, Sendable {
        let path: String
        /// Never empty; each once.
        let methods: [Method]
    }

    /// RFC 7252 §12.1.1 and RFC 8132 §6, as `peers.yml` spells them.
    enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
        case fetch = "FETCH"
        case patch = "PATCH"
        case iPatch = "iPATCH"
    }

    private static let everything = "allow-all"

    /// - Throws: `ValidationError`, which names the part that is wrong.
    init(_ text: some StringProtocol) throws {
        guard text != Self.everything else {
            self = .all
            return
        }
        var paths: [Path] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            let path = try Self.path(part)
            guard !paths.contains(where: { $0.path == path.path }) else {
                throw ValidationError("\(path.path) is there twice")
            }
            paths.append(path)
        }
        self = .paths(paths)
    }

    /// `/led=GET,PUT`
    private static func path(_ part: some StringProtocol) throws -> Path {
        // A path may hold it too.
        guard let end = part.lastIndex(of: "=") else {
            throw ValidationError("\"\(part)\" is neither \(everything) nor /PATH=METHOD,METHOD")
        }
        let path = String(part[..<end])
        guard path.hasPrefix("/"), path.unicodeScalars.allSatisfy(\.isPrintable) else {
            throw ValidationError("\"\(path)\" is no path: it begins with a slash")
        }
        let names = part[part.index(after: end)...].split(
            separator: ",", omittingEmptySubsequences: false)
        var methods: [Method] = []
        for name in names {
            let known = Method.allCases
            guard let method = known.first(where: { $0.rawValue.uppercased() == name.uppercased() })
            else {
                throw ValidationError(
                    "\"\(name)\" is no method of \(path), which are "
                        + known.map(\.rawValue).joined(separator: ", "))
            }
            guard !methods.contains(method) else {
                throw ValidationError("\(path) has \(method.rawValue) twice")
            }
            methods.append(method)
        }
        return Path(path: path, methods: methods)
    }

    /// Octets, fewer than the characters that YAML 1.2 §7.4.3 allows for a key on the line of its value.
    private static let maximumImplicitKeyLength = 1000

    /// The value of `scope` in `peers.yml`, behind its colon. YAML 1.2: JSON's strings are its own.
    func yaml(indentation: String) -> String {
        switch self {
        case .all: " \(Self.everything)\n"
        case .paths(let paths):
            "\n"
                + paths.map { path in
                    let methods = path.methods.map(\.rawValue).joined(separator: ", ")
                    var quoted: [UInt8] = []
                    JSONValue.string(path.path).write(to: &quoted, .compact)
                    let key = String(decoding: quoted, as: UTF8.self)
                    return quoted.count <= Self.maximumImplicitKeyLength
                        ? "\(indentation)\(key): [\(methods)]\n"
                        : "\(indentation)? \(key)\n\(indentation): [\(methods)]\n"
                }.joined()
        }
    }
}

/// A scope for some devices: `SCOPE` for all, else `BOARD:SCOPE`, `NICKNAME:SCOPE` or `ID:SCOPE`, where a
/// `*` stands for any characters: `kitchen-*:/led=PUT`.
struct ScopeRule: Hashable, Sendable {
    /// Nil: every device.
    let group: String?
    let scope: AccessScope

    /// - Throws: `ValidationError`, which names the part that is wrong.
    init(_ text: String) throws {
        if let scope = try? AccessScope(text) {
            self.init(group: nil, scope: scope)
            return
        }
        // A scope begins with a slash or is one word, and no board's name has to do without colons.
        for index in text.indices where text[index] == ":" && index != text.startIndex {
            guard let scope = try? AccessScope(text[text.index(after: index)...]) else { continue }
            self.init(group: String(text[..<index]), scope: scope)
            return
        }
        guard !text.hasPrefix(":") else { throw ValidationError("nobody stands before the colon") }
        let colon = text.hasPrefix("/") ? nil : text.firstIndex(of: ":")
        // What is wrong about the scope that was meant.
        let scope = colon.map { text[text.index(after: $0)...] } ?? text[...]
        self.init(group: nil, scope: try AccessScope(scope))
    }

    func matches(_ key: KeyRecord) -> Bool {
        guard let group else { return true }
        let names = [key.identity.board, key.identity.id.description, key.nickname].compactMap(
            \.self)
        return names.contains { fnmatch(group, $0, 0) == 0 }
    }

    private init(group: String?, scope: AccessScope) {
        self.group = group
        self.scope = scope
    }
}
