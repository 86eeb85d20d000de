public import COSE
public import Issuance

/// The memory of which keys are ours. Every call is one transaction that is durable when it returns.
///
/// Implementers keep the six promises: at most one unrevoked key per (board, device ID, key ID), by
/// the schema; a new key and the revocation of the earlier ones commit together; one public key
/// belongs to one device, and x names it, whether its y is known or not; the same key again changes nothing; nothing is deleted and every change is
/// an event of a hash-chained log; committed before promised.
public protocol DeviceRegistry: AnyObject, Sendable {
    /// Records the key, and revokes the device's earlier key of the same key ID as `superseded`;
    /// with `claim.hasErasedKeys` its earlier keys of every key ID.
    ///
    /// - Throws: `.keyRevoked` if this key was revoked before, naming when and why;
    ///   `.keyShared` if another device has it, naming both; `.replacementUnproven` if there is an
    ///   earlier key and `claim.grounds` is empty; `.registryConflict` if this device has it under
    ///   another key ID; `.volatileKey` if the claim's limit is reached.
    func register(_ claim: RegistrationClaim, at now: NumericDate) throws(ProvisioningError)
        -> RegistrationRecord

    /// Records credentials before they leave the host. Credentials of the same type that were issued
    /// for the same key before are revoked as `superseded`.
    ///
    /// - Throws: `.keyRevoked` if the key was revoked meanwhile; `.registryConflict` if a serial
    ///   number of this issuer is taken.
    func record(_ credentials: [Credential], for thumbprint: [UInt8], at now: NumericDate)
        throws(ProvisioningError)

    /// `pending → active`: the device has signed with the key and named what it stored. Idempotent.
    func activate(_ thumbprint: [UInt8], confirmation: [UInt8], at now: NumericDate)
        throws(ProvisioningError)
}
