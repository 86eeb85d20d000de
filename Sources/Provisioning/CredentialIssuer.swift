public import Issuance

/// Signs what a plan says.
///
/// Implementers: one credential for each of `plan.types`, nothing that the plan does not say, and no
/// private key outside the process. Throw `.authorityUnavailable` where the keys cannot be used,
/// `.issuanceFailed` where the plan cannot be signed.
public protocol CredentialIssuer: AnyObject, Sendable {
    func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential]
}
