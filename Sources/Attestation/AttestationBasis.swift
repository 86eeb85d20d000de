/// What a device's first evidence rests on.
public enum AttestationBasis: String, CaseIterable, Sendable, Hashable {
    /// The evidence is signed by the key that it introduces; the anchor is the cable.
    case physicalPresence = "physical-presence"
    /// Another key, which the registry knows as this device's, signed too.
    case endorsed
}
