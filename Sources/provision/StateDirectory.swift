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
        func absolute(_ name: String) throws(ProvisioningError) -> String? {
            guard let value = try variable(name), !value.isEmpty else { return nil }
            guard value.hasPrefix("/") else {
                throw ProvisioningError(
                    .usage, "\(name) is \"\(value)\", which is no absolute path",
                    hint: "set it to a path that begins with /")
            }
            return value
        }
        if let home = try absolute("PROVISION_HOME") { return StateDirectory(path: home) }
        if let state = try absolute("XDG_STATE_HOME") {
            return StateDirectory(path: state + "/provision")
        }
        return StateDirectory(path: try home() + "/.local/state/provision")
    }

    /// The XDG Base Directory Specification means `$HOME`. Foundation asks the user database, which says
    /// something else under `sudo` and in containers.
    private static func home() throws(ProvisioningError) -> String {
        guard let home = try variable("HOME"), home.hasPrefix("/") else { return NSHomeDirectory() }
        return home
    }

    /// A path may have any octets. Foundation would repair those that are no text, and that is the name
    /// of another folder.
    private static func variable(_ name: String) throws(ProvisioningError) -> String? {
        guard let octets = getenv(name) else { return nil }
        guard let value = String(validatingCString: octets) else {
            throw ProvisioningError(
                .usage, "\(name) is \"\(String(cString: octets))\", which is not UTF-8",
                hint: "set it to a path whose name is UTF-8, or to a link that leads there")
        }
        return value
    }
}
