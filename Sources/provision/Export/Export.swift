import Attestation
import COSE
import CBOR
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry

/// Writes what the registry holds in the formats that others read.
struct Export {
    let registry: SQLiteRegistry
    let state: State
    /// Nil: all.
    let device: DeviceIdentity?
    let nextUpdateDays: Int
    let peers: PeerOptions

    private var filter: DeviceFilter { DeviceFilter(board: device?.board, id: device?.id) }

    func write(_ format: ExportFormat, to destination: ExportDestination) throws {
        switch format {
        case .jsonl: try writeLines(destination)
        case .csv: try writeRows(destination)
        case .keyset: try writeKeySet(destination)
        case .crl: try writeRevocationLists(destination)
        case .chain: try writeChain(destination)
        case .cwt: destination.write(try credential(.cwt).bytes)
        case .evidence: destination.write(try evidence())
        case .arielPeers: try writePeers(destination)
        case .aiocoap: try writeCredentials(destination)
        }
    }

    private func writeLines(_ destination: ExportDestination) throws {
        let output = PartBuffer(destination.writePart)
        try registry.listedSnapshot().forEachDeviceWithCredentials(matching: filter) {
            let line = JSONValue($0, $1)
            try output.append { text in
                line.write(to: &text, .compact)
                text.append(UInt8(ascii: "\n"))
            }
        }
        try output.flush()
    }

    /// RFC 4180.
    private func writeRows(_ destination: ExportDestination) throws {
        destination.write(
            "board,device,nickname,key_id,thumbprint,public_key,state,registered_at,revoked_at,reason\r\n"
        )
        let output = PartBuffer(destination.writePart)
        try registry.listedSnapshot().forEachDevice(matching: filter) { device in
            for key in device.keys {
                let cells = [
                    key.identity.board, key.identity.id.description, key.nickname ?? "",
                    String(key.keyID), key.thumbprint.hexadecimal, key.publicKey.hexadecimal,
                    key.state.rawValue, key.registeredAt.utc, key.revocation?.date.utc ?? "",
                    key.revocation?.reason.name ?? "",
                ]
                try output.append { text in
                    text += cells.map(Self.quoted).joined(separator: ",").utf8
                    text += "\r\n".utf8
                }
            }
        }
        try output.flush()
    }

    private static func quoted(_ cell: String) -> String {
        // A spreadsheet takes these for formulas, and boards name themselves.
        let isFormula = cell.utf8.first.map { "=+-@".utf8.contains($0) } ?? false
        let cell = isFormula ? "'" + cell : cell
        guard cell.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return cell }
        return "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    /// COSE_KeySet, RFC 9052 §7: every active key, its thumbprint as its `kid`.
    private func writeKeySet(_ destination: ExportDestination) throws {
        let snapshot = try registry.listedSnapshot()
        let filter = KeyFilter(device: device, state: .active)
        destination.write(CBORValue.arrayHead(count: try snapshot.keyCount(matching: filter)))
        let output = PartBuffer(destination.writePart)
        try snapshot.forEachKey(matching: filter) { key in
            guard
                let coseKey = COSEKey(p256: key.publicKey, keyID: key.thumbprint)
                    ?? COSEKey(p256X: key.publicKey, keyID: key.thumbprint)
            else {
                throw ProvisioningError(
                    .registryDamaged, "key \(key.thumbprint.hexadecimal) is no P-256 point")
            }
            try output.append { $0 += coseKey.cbor.encoded() }
        }
        try output.flush()
    }

    /// Every active key, where a scope fits its device.
    private func writePeers(_ destination: ExportDestination) throws {
        let list = ArielPeers(scopes: peers.scopes, unauthenticated: peers.unauthenticated)
        let output = PartBuffer(destination.writePart)
        var (count, left) = (0, 0)
        var unused = Set(peers.scopes.compactMap(\.group))
        try output.append { $0 += list.head.utf8 }
        let filter = KeyFilter(device: device, state: .active)
        try registry.listedSnapshot().forEachKey(matching: filter) { key in
            for rule in peers.scopes where !unused.isEmpty && rule.matches(key) {
                rule.group.map { _ = unused.remove($0) }
            }
            guard let rule = list.rule(for: key) else { return left += 1 }
            count += 1
            let entry = list.entry(key, try PeerCredential(of: key, in: registry), rule)
            try output.append { $0 += entry.utf8 }
        }
        if count == 0, peers.unauthenticated == nil {
            try output.append { $0 += ArielPeers.empty.utf8 }
        }
        try output.flush()
        for group in unused.sorted() {
            Terminal.standardError.remark("note: --scope \(Table.printable(group)): fits no device")
        }
        noteLeft(left, "--scope")
    }

    /// Every active key, at its device's place.
    private func writeCredentials(_ destination: ExportDestination) throws {
        let credentials = AiocoapCredentials(client: try peers.client())
        let place = DevicePlace(template: peers.uri ?? PeerOptions.defaultURI)
        let snapshot = try registry.listedSnapshot()
        let filter = KeyFilter(device: device, state: .active)
        // Before anything is written: who reads standard output must not get half a document.
        let left = try checkDiffering(place, of: snapshot, filter)
        var isEmpty = true
        let output = PartBuffer(destination.writePart)
        try snapshot.forEachKey(matching: filter) { key in
            guard let uri = place.uri(of: key) else { return }
            let entry = credentials.entry(uri, try PeerCredential(of: key, in: registry))
            try output.append { $0 += ((isEmpty ? "{\n" : ",\n") + entry).utf8 }
            isEmpty = false
        }
        try output.append { $0 += (isEmpty ? "{\n}\n" : "\n}\n").utf8 }
        try output.flush()
        noteLeft(left, "nickname")
    }

    /// Of two devices at one place, a client would take the last for both.
    ///
    /// - Returns: how many devices have no place.
    private func checkDiffering(
        _ place: DevicePlace, of snapshot: RegistrySnapshot, _ filter: KeyFilter
    ) throws -> Int {
        let search = try RepetitionSearch()
        var left = 0
        try snapshot.forEachKey(matching: filter) { key in
            guard let uri = place.uri(of: key) else { return left += 1 }
            try search.add(uri)
        }
        guard let uri = try search.repeated() else { return left }
        var keys: [KeyRecord] = []
        try snapshot.forEachKey(matching: filter) { key in
            if keys.count < 2, place.uri(of: key) == uri { keys.append(key) }
        }
        guard Set(keys.map(\.identity)).count == 1 else {
            let owners = keys.map { "\($0.identity)" }.joined(separator: " and ")
            throw ProvisioningError(
                .usage, "\(owners) would both be \(uri)",
                hint: "name them apart with --uri: {id} differs between devices of one board")
        }
        let names = keys.map { "\($0.thumbprint.hexadecimal.prefix(16)) (key ID \($0.keyID))" }
        throw ProvisioningError(
            .usage,
            "the keys \(names.joined(separator: " and ")) of \(keys[0].identity) would both be \(uri)",
            hint: "a client takes one for each place; is one out of use? "
                + "provision revoke --key THUMBPRINT")
    }

    private func noteLeft(_ count: Int, _ what: String) {
        guard count > 0 else { return }
        Terminal.standardError.remark(
            "note: \(count.counted("device")) \(count == 1 ? "has" : "have") no \(what)")
    }

    /// RFC 5280 §5: the issuing CA's list, and the root's where its key is at hand. A list is signed
    /// as a whole, so all that was revoked is in memory.
    private func writeRevocationLists(_ destination: ExportDestination) throws {
        let authority = try state.authority(of: registry)
        try state.checkClock(registry, authority, isAccepted: false)
        let now = Surroundings.system.now()
        let next = NumericDate(seconds: now.seconds + Int64(nextUpdateDays) * 86400)
        let number = try registry.nextCRLNumber(of: authority.issuingKeyDigest, at: now)
        var revoked: [AuthorityRevocation] = []
        try registry.listedSnapshot().forEachRevokedCertificate(
            of: authority.issuingKeyDigest, before: number
        ) {
            revoked.append(
                AuthorityRevocation(
                    serialNumber: $0.serialNumber, revokedAt: $0.revocation.date,
                    reason: $0.revocation.reason))
        }
        let list = try authority.certificateRevocationList(
            revoked, number: UInt64(number.value), thisUpdate: now, nextUpdate: next)
        destination.write(PEM.encode(list, label: PEM.certificateRevocationList))
        guard authority.summary.hasRootKey else { return }
        let rootNumber = try registry.nextCRLNumber(of: authority.rootKeyDigest, at: now)
        let rootList = try authority.rootCertificateRevocationList(
            number: UInt64(rootNumber.value), thisUpdate: now, nextUpdate: next)
        destination.write(PEM.encode(rootList, label: PEM.certificateRevocationList))
    }

    private func writeChain(_ destination: ExportDestination) throws {
        let bytes = try credential(.x509Chain).bytes
        guard let chain = try CBORValue.decode(bytes).array else { return }
        for case .bytes(let der) in chain {
            destination.write(PEM.encode(der, label: PEM.certificate))
        }
    }

    private func credential(_ type: CredentialType) throws -> Credential {
        let key = try currentKey()
        let inForce = try registry.credentialsInForce(for: key.thumbprint)
        guard let credential = inForce.first(where: { $0.type == type }) else {
            throw ProvisioningError(
                .notFound, "\(key.identity) has no \(type.title) in force",
                hint: "provision the device again")
        }
        return credential
    }

    private func evidence() throws -> [UInt8] {
        let key = try currentKey()
        guard let bytes = try registry.document(key.evidenceDigest) else {
            throw ProvisioningError(
                .registryDamaged, "the evidence of \(key.thumbprint.hexadecimal) is missing")
        }
        return bytes
    }

    private func currentKey() throws -> KeyRecord {
        let device = try registry.devices(matching: filter, limit: 1).records.first
        guard let key = device?.keys.last(where: { $0.state != .revoked }) else {
            throw ProvisioningError(
                .notFound, "the device has no key that is not revoked",
                hint: "provision the device again")
        }
        return key
    }
}
