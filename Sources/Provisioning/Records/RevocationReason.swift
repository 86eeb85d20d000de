/// Why a key or certificate was revoked: CRLReason, RFC 5280 §5.3.1.
public enum RevocationReason: Int, CaseIterable, Sendable, Hashable {
    case unspecified = 0
    case keyCompromise = 1
    case caCompromise = 2
    case affiliationChanged = 3
    case superseded = 4
    case cessationOfOperation = 5
    case certificateHold = 6
    case privilegeWithdrawn = 9
    case aaCompromise = 10
}

extension RevocationReason {
    /// RFC 5280's name with hyphens: in messages, on the command line and in JSON.
    public var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .keyCompromise: "key-compromise"
        case .caCompromise: "ca-compromise"
        case .affiliationChanged: "affiliation-changed"
        case .superseded: "superseded"
        case .cessationOfOperation: "cessation-of-operation"
        case .certificateHold: "certificate-hold"
        case .privilegeWithdrawn: "privilege-withdrawn"
        case .aaCompromise: "aa-compromise"
        }
    }
}
