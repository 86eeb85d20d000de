import Provisioning
import Registry

/// Registry and authority of this user, opened anew at each call.
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
    ///
    /// - Parameter isSilent: it is not what the user asked for.
    func openRegistryIfAny(
        isSilent: Bool = false
    ) throws(ProvisioningError) -> SQLiteRegistry? {
        do {
            return try openRegistry(for: .reading, isVerified: isSilent)
        } catch {
            guard error.code == .notFound else { throw error }
            if !isSilent {
                Terminal.standardError.remark("\(error.reason) yet; nothing is registered")
            }
            return nil
        }
    }
}
