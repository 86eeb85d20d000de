import Authority
import Foundation
import Provisioning
import Registry

/// Registry and authority of this user, opened on first use.
struct State {
    let directory: StateDirectory

    init() throws(ProvisioningError) { directory = try .current() }

    /// Says if the registry may be an older copy, which must not keep it from being used.
    ///
    /// - Parameters:
    ///   - access: whoever only reads may do so where nothing can be written.
    ///   - isVerified: whether the caller finds that out itself.
    func openRegistry(
        for access: SQLiteRegistry.Access = .writing, isVerified: Bool = false
    ) throws(ProvisioningError) -> SQLiteRegistry {
        let registry = try SQLiteRegistry(path: directory.registry, for: access)
        if !isVerified, let fault = try registry.noteFault() {
            Terminal.standardError.remark("note: \(fault); see provision registry verify")
        }
        return registry
    }

    /// For listings. Nil, and a word about it, if there is no registry yet.
    func openRegistryIfAny() throws(ProvisioningError) -> SQLiteRegistry? {
        do {
            return try openRegistry(for: .reading)
        } catch {
            guard error.code == .notFound else { throw error }
            Terminal.standardError.remark("\(error.reason) yet; nothing is registered")
            return nil
        }
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
