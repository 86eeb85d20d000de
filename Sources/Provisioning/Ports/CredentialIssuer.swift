public import COSE
public import Issuance

/// Signs what a plan says.
///
/// Implementers: one credential for each of `plan.types`, nothing that the plan does not say, and no
/// private key outside the process. Throw `.authorityUnavailable` where the keys cannot be used,
/// `.issuanceFailed` where the plan cannot be signed.
public protocol CredentialIssuer: AnyObject, Sendable {
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signs credentials of this type, 32 octets:
    /// what `Credential.issuer` says of those that it signs.
    func keyDigest(for type: CredentialType) -> [UInt8]

    /// The beginning of its own certificates: nothing that it signs is valid before, whatever the clock
    /// says.
    var notBefore: NumericDate { get }

    func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential]
}
