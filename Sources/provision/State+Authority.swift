import Authority
import Foundation
import Provisioning
import Registry

extension State {
    /// For signing credentials. Creates the authority when there is none and never was, and says where.
    ///
    /// - Parameter reading: of the one that is there, begun before.
    /// - Throws: `.authorityLost`: a new one in its place would have its name and other keys, and could
    ///   revoke nothing of what the first one signed.
    func openAuthority(
        of registry: SQLiteRegistry, _ reading: AuthorityReading
    ) throws(ProvisioningError) -> FileAuthority {
        guard try registry.latestIssuer() == nil else {
            return try authority(of: registry, reading)
        }
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

    /// The authority that is there, and that signed what the registry holds.
    ///
    /// - Parameter registry: nil: there is none.
    /// - Throws: `.authorityLost`; `.authorityUnavailable` if there was never one.
    func authority(
        of registry: SQLiteRegistry?, _ reading: AuthorityReading? = nil
    ) throws(ProvisioningError) -> FileAuthority {
        if let authority = try authorityIfAny(of: registry, reading) { return authority }
        throw ProvisioningError(
            .authorityUnavailable, "there is no authority in \(directory.authority)",
            hint: "the first run creates one, or: provision authority create --name NAME")
    }

    /// Nil if there is none and never was.
    func authorityIfAny(
        of registry: SQLiteRegistry?, _ reading: AuthorityReading? = nil
    ) throws(ProvisioningError) -> FileAuthority? {
        let authority =
            if let read = reading?.authority { read } else { try authorityInPlace() }
        guard let registry, let issuer = try registry.latestIssuer() else { return authority }
        guard let authority else {
            throw lost(issuer, registry, "there is no authority in \(directory.authority)")
        }
        guard try registry.hasIssuer(among: authority.keyDigests) else {
            throw lost(
                issuer, registry,
                "the one in \(directory.authority) has the key "
                    + "\(authority.issuingKeyDigest.hexadecimal.prefix(16))…")
        }
        return authority
    }

    /// Whatever it signed.
    private func authorityInPlace() throws(ProvisioningError) -> FileAuthority? {
        do {
            return try FileAuthority.open(at: directory.authority)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func lost(
        _ issuer: [UInt8], _ registry: SQLiteRegistry, _ found: String
    ) -> ProvisioningError {
        ProvisioningError(
            .authorityLost,
            "\(registry.path) has credentials signed with the key "
                + "\(issuer.hexadecimal.prefix(16))…, and \(found)",
            hint: "restore \(directory.authority) from a copy; if a new authority is meant, which "
                + "can't revoke what the earlier one signed: provision authority create --replace")
    }

    /// Creates an authority where there is none.
    ///
    /// - Parameter isReplacing: also where there was one, or where the one that is there signed nothing of
    ///   what the registry holds.
    func createAuthority(
        name: String?, isReplacing: Bool
    ) throws(ProvisioningError) -> FileAuthority {
        let registry = try openRegistryForChange()
        guard let registry, try registry.latestIssuer() != nil else { return try create(name) }
        do {
            _ = try authority(of: registry)
        } catch {
            guard error.code == .authorityLost, isReplacing else { throw error }
            // One may be there: of an earlier `create --replace` that was cut off, or put there.
            let present = try authorityInPlace()
            guard present == nil || name == nil else {
                throw ProvisioningError(
                    .authorityLost,
                    "there is an authority in \(directory.authority), which signed nothing of the "
                        + "registry: a new name would not be its",
                    hint: "adopt it without --name, or put its folder aside for a new one")
            }
            if present != nil {
                Terminal.standardError.remark(
                    "adopted the authority that is in \(directory.authority)")
            }
            let new = if let present { present } else { try create(name) }
            // Its first revocation list, which names it in the log: from here on it is known.
            _ = try registry.nextCRLNumber(
                of: new.issuingKeyDigest, at: Surroundings.system.now())
            return new
        }
        // It is there, and says so.
        return try create(name)
    }

    private func create(_ name: String?) throws(ProvisioningError) -> FileAuthority {
        try FileAuthority.create(
            at: directory.authority, name: name ?? Self.defaultAuthorityName,
            now: Surroundings.system.now())
    }

    private func openRegistryForChange() throws(ProvisioningError) -> SQLiteRegistry? {
        do {
            return try openRegistry(for: .changing)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Whose devices these are: the user, on this machine.
    private static var defaultAuthorityName: String {
        let user = NSUserName()
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
        return String("Provision \(user.isEmpty ? "" : user + " ")\(host)".prefix(48))
    }
}
