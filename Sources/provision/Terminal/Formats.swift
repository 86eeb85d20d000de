import COSE
import Foundation
import Issuance

extension Sequence<UInt8> {
    /// Lower case, two digits for each octet.
    var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

extension Date {
    init(_ date: NumericDate) { self.init(timeIntervalSince1970: Double(date.seconds)) }
}

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
