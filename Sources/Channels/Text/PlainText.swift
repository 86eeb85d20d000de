import CBOR

/// Foreign text for one line of a message.
package enum PlainText {
    /// Decoded as UTF-8, with spaces for what is not printable and none around; at most 200 characters.
    package static func sanitized(_ bytes: some Sequence<UInt8>) -> String {
        let text = String(decoding: Array(bytes), as: UTF8.self)
        let result = String(text.unicodeScalars.map { $0.isPrintable ? Character($0) : " " })
        let trimmed = result.split(separator: " ").joined(separator: " ")
        return trimmed.count > 200 ? trimmed.prefix(199) + "…" : trimmed
    }
}
