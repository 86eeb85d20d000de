import Attestation
import Foundation
import Registry

/// Where a device is found.
struct DevicePlace {
    static let placeholders = ["{id}", "{board}", "{nickname}"]
    /// RFC 3986 §2.3. A client takes an asterisk for any host.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    let template: String

    /// Nil if the device lacks what the template asks for.
    func uri(of key: KeyRecord) -> String? {
        let values = [key.identity.id.description, key.identity.board, key.nickname]
        var uri = template
        for (placeholder, value) in zip(Self.placeholders, values) where uri.contains(placeholder) {
            guard let value else { return nil }
            uri.replace(
                placeholder,
                with: value.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? "")
        }
        return uri
    }
}
