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

extension BinaryInteger {
    /// `1 device`, `2 devices`.
    func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
