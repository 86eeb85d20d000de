import Issuance

extension CredentialType {
    /// As in platform files, options and JSON.
    var name: String {
        switch self {
        case .x509Chain: "x509"
        case .cwt: "cwt"
        case .trustAnchors: "trust-anchors"
        }
    }
}
