import Registry

/// `peers.yml` of Ariel OS: who may do what with a CoAP server, compiled into its firmware. Its form is
/// "still in flux", says `src/ariel-os-coap/build.rs`, which reads it.
struct ArielPeers {
    let scopes: [ScopeRule]
    let unauthenticated: AccessScope?

    /// What comes before the devices.
    var head: String {
        var text = "# Made by provision export --format ariel-peers: every key in force.\n"
        if let unauthenticated {
            text += "- from: unauthenticated\n  scope:" + unauthenticated.yaml(indentation: "    ")
        }
        return text
    }

    /// The rule for a device: the first that names it, else the first that is for all.
    func rule(for key: KeyRecord) -> ScopeRule? {
        let fitting = scopes.filter { $0.matches(key) }
        return fitting.first { $0.group != nil } ?? fitting.first
    }

    func entry(_ key: KeyRecord, _ credential: PeerCredential, _ rule: ScopeRule) -> String {
        // No nickname: a new one would have firmware built anew.
        "# \(Table.printable("\(key.identity)"))\n- kccs: |\n    \(credential.claimsSet)\n  scope:"
            + rule.scope.yaml(indentation: "    ")
    }

    /// A list without entries is none at all to YAML.
    static let empty = "[]\n"
}
