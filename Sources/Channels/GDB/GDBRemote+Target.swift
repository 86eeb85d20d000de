import Provisioning

extension GDBRemote {
    /// Bytes of a target description that are looked through for its architecture, which comes first.
    private static let maximumDescriptionLength = 1 << 14

    /// What the probe is attached to, as BFD calls it: `arm`, `riscv:rv32`. Nil where the server does not
    /// say. GDB manual, "Target Description Format".
    func architecture() throws(ProvisioningError) -> String? {
        guard describesTarget else { return nil }
        var description = ""
        while description.utf8.count < Self.maximumDescriptionLength {
            let offset = String(description.utf8.count, radix: 16)
            let length = String(packetSize - 4, radix: 16)
            let answer = try exchange("qXfer:features:read:target.xml:\(offset),\(length)")
            guard let kind = answer.first, "lm".utf8.contains(kind), answer.count > 1 else { break }
            description += String(decoding: answer.dropFirst(), as: UTF8.self)
            if let name = Self.element("architecture", of: description) { return name }
            if kind == UInt8(ascii: "l") { break }
        }
        return nil
    }

    private static func element(_ name: String, of text: String) -> String? {
        let parts = text.split(
            separator: "<\(name)>", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let rest = parts[1].split(
            separator: "</\(name)>", maxSplits: 1, omittingEmptySubsequences: false)
        guard rest.count == 2 else { return nil }
        let value = PlainText.sanitized(rest[0].utf8)
        return value.isEmpty ? nil : value
    }
}
