internal import CBOR
internal import COSE
internal import OpenSSL

/// The claims set of evidence, and what the profile allows each claim to be.
struct EvidenceClaims {
    private let map: CBORMap

    init(payload: [UInt8]) throws(EvidenceError) {
        let item: CBORValue
        do throws(COSEError) {
            item = try CBORValue.decodeItem(payload, form: .deterministic)
        } catch {
            throw .claims(error)
        }
        guard let map = item.map else { throw .claims(.structure("a claims set is a map")) }
        self.map = map
    }

    func checkProfile() throws(EvidenceError) {
        let found = map[.int(EATClaim.profile)]?.text
        guard found == Evidence.profile else { throw .profile(found) }
    }

    func checkIntendedUse() throws(EvidenceError) {
        let value = try claim(EATClaim.intendedUse)
        guard value == .unsigned(IntendedUse.provisioning.rawValue) else {
            throw .invalidClaim(
                EATClaim.intendedUse, "is not \(IntendedUse.provisioning.rawValue), provisioning")
        }
    }

    func nonce() throws(EvidenceError) -> [UInt8] {
        try bytes(EATClaim.nonce, EATClaim.nonceLength)
    }

    func ueid() throws(EvidenceError) -> [UInt8] {
        try bytes(EATClaim.ueid, UEID.length...UEID.length)
    }

    func deviceID() throws(EvidenceError) -> DeviceID {
        let octets = try bytes(Evidence.Claim.deviceID, 1...DeviceID.maximumLength)
        guard let id = DeviceID(octets) else {
            throw .invalidClaim(Evidence.Claim.deviceID, "is no device ID")
        }
        return id
    }

    /// The board goes into tables, subjects and messages: no control characters.
    func board() throws(EvidenceError) -> String {
        let key = Evidence.Claim.board
        guard let board = try claim(key).text else { throw .invalidClaim(key, "is not text") }
        guard (1...DeviceIdentity.maximumBoardLength).contains(board.utf8.count) else {
            throw .invalidClaim(
                key,
                "has \(board.utf8.count) octets, not 1 to \(DeviceIdentity.maximumBoardLength)")
        }
        guard board.unicodeScalars.allSatisfy(\.isPrintable) else {
            throw .invalidClaim(key, "contains control characters")
        }
        return board
    }

    func storedCredentials() throws(EvidenceError) -> [UInt64: [UInt8]] {
        let key = Evidence.Claim.storedCredentials
        guard let map = try claim(key).map else { throw .invalidClaim(key, "is not a map") }
        var hashes: [UInt64: [UInt8]] = [:]
        for pair in map.pairs {
            guard let type = pair.key.unsigned, let hash = pair.value.bytes,
                hash.count == SHA256.length
            else {
                throw .invalidClaim(key, "does not map numbers to \(SHA256.length) octets")
            }
            hashes[type] = hash
        }
        return hashes
    }

    func key() throws(EvidenceError) -> COSEKey {
        // RFC 8747 §3.1: the key stands under method 1.
        guard let methods = try claim(CWTClaims.Claim.confirmation).map, methods.pairs.count == 1,
            let key = methods[.int(CWTClaims.Confirmation.keyMethod)]
        else {
            throw .invalidClaim(CWTClaims.Claim.confirmation, "does not hold exactly one COSE_Key")
        }
        do throws(COSEError) {
            return try COSEKey(cbor: key)
        } catch {
            throw .key(error)
        }
    }

    private func claim(_ key: Int64) throws(EvidenceError) -> CBORValue {
        guard let value = map[.int(key)] else { throw .missingClaim(key) }
        return value
    }

    private func bytes(_ key: Int64, _ length: ClosedRange<Int>) throws(EvidenceError) -> [UInt8] {
        guard let bytes = try claim(key).bytes else {
            throw .invalidClaim(key, "is not a byte string")
        }
        guard length.contains(bytes.count) else {
            throw .invalidClaim(
                key,
                "has \(bytes.count) octets, not \(length.lowerBound) to \(length.upperBound)")
        }
        return bytes
    }
}
