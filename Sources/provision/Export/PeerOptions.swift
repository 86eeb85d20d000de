import ArgumentParser
import CBOR
import Channels
import Foundation
import Provisioning

/// What exports for CoAP peers need to be told: who may do what, and where devices are found.
struct PeerOptions: ParsableArguments {
    @Option(
        name: .customLong("scope"),
        help: ArgumentHelp(
            """
            With ariel-peers: what devices may do: allow-all, or /PATH=METHOD,METHOD;/PATH=METHOD. \
            GROUP:SCOPE is for a board, an ID or a nickname, * stands for any characters; the first \
            that fits a device counts, one without a group last. Devices that none fits are left out. \
            Repeatable.
            """, valueName: "scope"),
        transform: { try ScopeRule($0) })
    var scopes: [ScopeRule] = []

    @Option(
        help: ArgumentHelp(
            "With ariel-peers: what may be done by whoever shows no credential.", valueName: "scope"
        ),
        transform: { try AccessScope($0) })
    var unauthenticated: AccessScope?

    @Option(
        help: ArgumentHelp(
            "With aiocoap: where a device is found; {id}, {board} and {nickname} stand for its own.",
            valueName: "uri"))
    var uri: String?

    @Option(
        help: ArgumentHelp(
            """
            With aiocoap: the file with the client's COSE_Key, which is named and not read. Without \
            it, the client stays anonymous.
            """, valueName: "file"), completion: .file())
    var clientKey: String?

    @Option(
        help: ArgumentHelp(
            "With --client-key: a file with its claims set in CBOR diagnostic notation.",
            valueName: "file"), completion: .file())
    var clientCredential: String?

    static let defaultURI = "coap://{id}.local/*"

    func check(_ format: ExportFormat) throws {
        let foreign: [(String, Bool, ExportFormat)] = [
            ("--scope", !scopes.isEmpty, .arielPeers),
            ("--unauthenticated", unauthenticated != nil, .arielPeers),
            ("--uri", uri != nil, .aiocoap), ("--client-key", clientKey != nil, .aiocoap),
            ("--client-credential", clientCredential != nil, .aiocoap),
        ]
        if let option = foreign.first(where: { $0.1 && $0.2 != format }) {
            throw ValidationError("\(option.0) goes with --format \(option.2.rawValue)")
        }
        guard format != .arielPeers || !scopes.isEmpty || unauthenticated != nil else {
            throw ValidationError(
                "--format ariel-peers needs to be told what devices may do: --scope allow-all")
        }
        guard (clientKey == nil) == (clientCredential == nil) else {
            throw ValidationError("--client-key and --client-credential go together")
        }
        let withoutNames = DevicePlace.placeholders.reduce(uri ?? Self.defaultURI) {
            $0.replacing($1, with: "")
        }
        guard !withoutNames.contains(where: { "{}\"\\ ".contains($0) }),
            withoutNames.unicodeScalars.allSatisfy(\.isPrintable)
        else {
            throw ValidationError(
                "--uri holds {id}, {board} and {nickname}, and is a URI otherwise")
        }
    }

    /// The client's credential, as it stands in aiocoap's file.
    ///
    /// - Throws: `.usage` if the file holds something else, or too much.
    func client() throws(ProvisioningError) -> AiocoapCredentials.Client? {
        guard let clientKey, let clientCredential else { return nil }
        let maximumLength = 4096
        guard
            let bytes = try? FileBytes.read(clientCredential, limit: maximumLength, waits: true)
        else {
            throw ProvisioningError(
                .usage, "\(clientCredential) can't be read, or is longer than 4096 octets",
                hint: "it holds one claims set: {2: \"me\", 8: {1: {1: 2, 2: h'2b', -1: 1, …}}}")
        }
        do {
            let text = bytes.trimming { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
            let (value, length) = try CBORValue.readDiagnostic(text, depth: 4)
            guard length == text.count else {
                throw CBORDiagnosticError(offset: length, expected: "the end")
            }
            return try AiocoapCredentials.Client(keyFile: clientKey, claims: value)
        } catch {
            throw ProvisioningError(
                .usage, "\(clientCredential) is no claims set with a COSE_Key: \(error)",
                hint:
                    "it looks like {2: \"me\", 8: {1: {1: 2, 2: h'2b', -1: 1, -2: h'…', -3: h'…'}}}"
            )
        }
    }
}

extension [UInt8] {
    fileprivate func trimming(_ isSpace: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var rest = drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }
}
