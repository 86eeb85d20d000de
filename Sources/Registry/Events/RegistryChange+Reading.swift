import Provisioning

extension RegistryChange {
    /// - Throws: `ProjectionError` if `body` does not say what an event of this kind says.
    init(_ kind: RegistryEventKind, body: String) throws {
        let body = try EventBody(body)
        switch kind {
        case .deviceAdded:
            self = .deviceAdded(
                DeviceAdded(board: try body.text("board"), deviceID: try body.octets("deviceID")))
        case .deviceNamed:
            let nickname = try body.optionalText("nickname")
            // As SQLite counts the length of a text.
            guard nickname.map({ 1...64 ~= $0.unicodeScalars.count }) ?? true else {
                throw ProjectionError(description: "gives a nickname that is no nickname")
            }
            self = .deviceNamed(DeviceNamed(nickname: nickname))
        case .keyRegistered: self = .keyRegistered(try KeyRegistered(body))
        case .keyActivated:
            self = .keyActivated(KeyActivated(confirmation: try body.octets("confirmation")))
        case .keyRevoked: self = .keyRevoked(try Revoked(body))
        case .keyReinstated:
            self = .keyReinstated(KeyReinstated(note: try body.optionalText("note")))
        case .credentialIssued: self = .credentialIssued(try CredentialIssued(body))
        case .credentialRevoked: self = .credentialRevoked(try Revoked(body))
        case .listNumbered:
            self = .listNumbered(
                ListNumbered(issuer: try body.octets("issuer"), number: try body.integer("number")))
        }
    }
}

extension RegistryChange.KeyRegistered {
    fileprivate init(_ body: EventBody) throws {
        self.init(
            device: try body.integer("device"), keyID: try body.integer("keyID"),
            thumbprint: try body.octets("thumbprint"), algorithm: try body.integer("algorithm"),
            publicKey: try body.octets("publicKey"), basis: try body.text("basis"),
            isImported: try body.bool("isImported"),
            firmwareDigest: try body.optionalOctets("firmwareDigest"),
            evidence: try body.octets("evidence"), grounds: try body.texts("grounds"),
            isPossessionProven: try body.optionalBool("isPossessionProven"))
    }
}

extension RegistryChange.Revoked {
    fileprivate init(_ body: EventBody) throws {
        let reason: Int = try body.integer("reason")
        guard RevocationReason(rawValue: reason) != nil else {
            throw ProjectionError(description: "\(reason) is no reason for a revocation")
        }
        self.init(
            reason: reason, note: try body.optionalText("note"),
            supersededBy: try body.optionalOctets("supersededBy"))
    }
}

extension RegistryChange.CredentialIssued {
    fileprivate init(_ body: EventBody) throws {
        self.init(
            key: try body.integer("key"), type: try body.integer("type"),
            issuer: try body.octets("issuer"),
            serialNumber: try body.optionalOctets("serialNumber"),
            document: try body.octets("document"), notBefore: try body.integer("notBefore"),
            notAfter: try body.optionalInteger("notAfter"))
    }
}
