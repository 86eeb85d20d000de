import Foundation
import Provisioning

/// Where registry, authority and emulated boards live: `$PROVISION_HOME`, else
/// `$XDG_STATE_HOME/provision`, else `~/.local/state/provision`. Never in the firmware package.
struct StateDirectory: Sendable {
    /// Absolute.
    let path: String

    var registry: String { path + "/registry.sqlite" }
    var authority: String { path + "/authority" }

    static func current() throws(ProvisioningError) -> StateDirectory {
        let environment = ProcessInfo.processInfo.environment
        func absolute(_ name: String) throws(ProvisioningError) -> String? {
            guard let value = environment[name], !value.isEmpty else { return nil }
            guard value.hasPrefix("/") else {
                throw ProvisioningError(
                    .usage, "\(name) is \"\(value)\", which is no absolute path",
                    hint: "set it to a path that begins with /")
            }
            return value
        }
        if let home = try absolute("PROVISION_HOME") { return StateDirectory(path: home) }
        let state = try absolute("XDG_STATE_HOME") ?? home(environment) + "/.local/state"
        return StateDirectory(path: state + "/provision")
    }

    /// The XDG Base Directory Specification means `$HOME`. Foundation asks the user database, which says
    /// something else under `sudo` and in containers.
    private static func home(_ environment: [String: String]) -> String {
        guard let home = environment["HOME"], home.hasPrefix("/") else { return NSHomeDirectory() }
        return home
    }
}
