import Authority
import Foundation
import Provisioning
import Registry

/// Registry and authority of this user, opened on first use.
struct State {
    let directory: StateDirectory

    init() throws(ProvisioningError) { directory = try .current() }

    /// - Parameter access: whoever only reads may do so where nothing can be written.
    func openRegistry(
        for access: SQLiteRegistry.Access = .writing
    ) throws(ProvisioningError) -> SQLiteRegistry {
        try SQLiteRegistry(path: directory.registry, for: access)
    }

    /// Creates the authority when there is none, and says where.
    func openAuthority() throws(ProvisioningError) -> FileAuthority {
        let (authority, isNew) = try FileAuthority.openOrCreate(
            at: directory.authority, name: Self.defaultAuthorityName, now: Surroundings.system.now()
        )
        if isNew {
            Terminal.standardError.remark("created an authority in \(directory.authority)")
            Terminal.standardError.remark(
                "its root key signs nothing but the issuing CA; keep a copy, and keep it secret")
        }
        return authority
    }

    /// Whose devices these are: the user, on this machine.
    static var defaultAuthorityName: String {
        let user = NSUserName()
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
        return String("Provision \(user.isEmpty ? "" : user + " ")\(host)".prefix(48))
    }
}
