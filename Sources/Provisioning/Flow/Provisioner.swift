internal import Attestation
internal import SMP

/// Takes one board from a firmware image to a device that holds a credential for a key which it
/// made itself.
///
/// Read `provision()` from top to bottom: that is how a device gets its credential. Each value can
/// only be made by the step before (`AttestationResult`, `Registration` and `Confirmation` have no
/// public initialiser), so the compiler holds the order. A run that ends anywhere leaves the device
/// and the registry in a state that the next run continues from.
public struct Provisioner {
    let plan: ProvisioningPlan
    let flasher: (any Flasher)?
    let probe: (any DeviceIDReader)?
    let openChannel: () throws(ProvisioningError) -> any Channel
    let registry: any DeviceRegistry
    let issuer: any CredentialIssuer
    let surroundings: Surroundings
    let observer: any RunObserver

    /// - Parameters:
    ///   - flasher: needed where `plan.image` is given.
    ///   - probe: reads the device ID out of band; nil where the platform cannot.
    ///   - openChannel: called once, after flashing, since some boards flash over the same port. The
    ///     caller of `provision()` gets the channel back, open, with the outcome.
    public init(
        plan: ProvisioningPlan, flasher: (any Flasher)?, probe: (any DeviceIDReader)?,
        openChannel: @escaping () throws(ProvisioningError) -> any Channel,
        registry: any DeviceRegistry, issuer: any CredentialIssuer, surroundings: Surroundings,
        observer: any RunObserver
    ) {
        self.plan = plan
        self.flasher = flasher
        self.probe = probe
        self.openChannel = openChannel
        self.registry = registry
        self.issuer = issuer
        self.surroundings = surroundings
        self.observer = observer
    }

    /// Flash, provision; the caller attaches.
    ///
    /// - Throws: any `ErrorCode` but the ones of platform files and build. Repeating the run is
    ///   always safe.
    public func provision() throws(ProvisioningError) -> Outcome {
        let receipt = try flash()
        let probedID = try identify()
        let session = try connect()
        do throws(ProvisioningError) {
            let (description, key, result) = try session.withSecondChance {
                () throws(ProvisioningError) -> (
                    DeviceDescription, KeyDescription, AttestationResult
                ) in
                let description = try hello(session, probedID: probedID)
                let key = try self.key(of: description, session)
                let evidence = try collectEvidence(of: key, session)
                let result = try appraise(evidence, of: key, description, probedID: probedID)
                return (description, key, result)
            }
            try checkIssuance(for: result)
            let registration = try register(
                result, keyID: key.keyID, isImported: key.isImported, receipt: receipt)
            let credentials = try issue(for: registration)
            let delivery = try install(credentials, on: description, for: registration, session)
            let confirmation = try confirm(delivery, of: registration, session)
            return Outcome(
                description: description, registration: registration, confirmation: confirmation,
                credentials: credentials, delivery: delivery, receipt: receipt,
                retries: session.retries, channel: session.channel)
        } catch {
            session.channel.close()
            throw error
        }
    }
}
