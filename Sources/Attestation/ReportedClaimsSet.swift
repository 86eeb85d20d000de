internal import CBOR
public import COSE

/// An unsigned CWT Claims Set (CCS, RFC 8392 §2, RFC 9528 §3.5.2) in a log line, as Ariel OS prints
/// the credential under which a device speaks EDHOC.
///
/// Nothing of it is proven, not even that it arrived as it was sent: no signature and no checksum is
/// there to tell. Whoever writes to the log can name any key.
public struct ReportedClaimsSet: Hashable, Sendable {
    /// What introduces one.
    public enum Marker: String, CaseIterable, Sendable, Hashable {
        /// `board=…⇥device_id=[1, 2]⇥edhoc_kccs=[161, 8]`: fields of names and values, with tabs or
        /// spaces between them; lists are JSON's, of octets in decimal. Ariel OS's pull request 453.
        case provisioned = "Device provisioned: "
        /// The claims set in CBOR diagnostic notation, or as a list of octets in hexadecimal:
        /// `{8:{1:{…}}}`, `[a1, 08]`. It names no device.
        case identity = "CoAP server identity: "
    }

    /// Nil where the line has none. 1 to 64 octets, printable.
    public let board: String?
    /// Nil where the line has none.
    public let deviceID: DeviceID?
    /// On P-256, with x alone where the claims set has no y.
    public let key: COSEKey
    /// The text as received, from the marker to the end of the report.
    public let text: [UInt8]
    /// The claims set in CBOR diagnostic notation, as the device has it: whoever compares credentials
    /// compares them whole.
    public let claimsSet: String

    /// Octets of text. A claims set of 60 octets has 360 in the longest notation.
    public static let maximumLength = 4096
    /// Claims set, `cnf`, COSE_Key, and a level for what is ignored.
    private static let maximumDepth = 4

    /// Reads what `text` begins with.
    init(_ marker: Marker, _ text: ArraySlice<UInt8>) throws(EvidenceError) {
        let body = text.dropFirst(marker.rawValue.utf8.count).prefix(Self.maximumLength)
        var reader = ReportFieldReader(body)
        let claims: CBORValue
        switch marker {
        case .provisioned:
            var fields = try reader.fields()
            guard let credential = fields.take("edhoc_kccs")?.octets else {
                throw .notation("the report line has no whole list edhoc_kccs")
            }
            board = try fields.take("board").map(Self.board)
            deviceID = try fields.take("device_id").map(Self.deviceID)
            claims = try Self.decode(credential)
        case .identity:
            (board, deviceID) = (nil, nil)
            if reader.isAtList {
                claims = try Self.decode(try reader.list(.hexadecimal))
            } else {
                do throws(CBORDiagnosticError) {
                    let (value, length) = try CBORValue.readDiagnostic(
                        body, depth: Self.maximumDepth)
                    reader.skip(length)
                    claims = value
                } catch {
                    throw .notation("the report line is no diagnostic notation: \(error)")
                }
            }
        }
        key = try Self.key(in: claims)
        claimsSet = claims.diagnosticNotation
        self.text = Array(text[..<reader.position])
    }

    /// Reads what was kept of a report: its `text`. Nil if `document` is something else.
    ///
    /// - Throws: `EvidenceError` for a report that is not whole.
    public init?(document: [UInt8]) throws(EvidenceError) {
        let marker = Marker.allCases.first { document.starts(with: $0.rawValue.utf8) }
        guard let marker else { return nil }
        try self.init(marker, document[...])
    }

    private static func decode(_ octets: [UInt8]) throws(EvidenceError) -> CBORValue {
        do throws(COSEError) {
            return try CBORValue.decodeItem(octets, form: .wellFormed)
        } catch {
            throw .claims(error)
        }
    }

    private static func board(_ field: ReportFieldReader.Value) throws(EvidenceError) -> String {
        guard case .text(let octets) = field,
            let text = String(validating: octets, as: UTF8.self),
            (1...DeviceIdentity.maximumBoardLength).contains(octets.count),
            text.unicodeScalars.allSatisfy(\.isPrintable)
        else {
            throw .notation("the report line's board is no printable name of 1 to 64 octets")
        }
        return text
    }

    private static func deviceID(
        _ field: ReportFieldReader.Value
    ) throws(EvidenceError) -> DeviceID {
        guard let id = field.octets.flatMap(DeviceID.init) else {
            throw .notation("the report line's device_id is no list of 1 to 64 octets")
        }
        return id
    }

    private static func key(in claims: CBORValue) throws(EvidenceError) -> COSEKey {
        let claim = CWTClaims.Claim.confirmation
        guard let map = claims.map else {
            throw .claims(.structure("a claims set is a map"))
        }
        guard let confirmation = map[.int(claim)] else { throw .missingClaim(claim) }
        guard let methods = confirmation.map, methods.pairs.count == 1,
            let item = methods[.int(CWTClaims.Confirmation.keyMethod)]
        else {
            throw .invalidClaim(claim, "does not hold exactly one COSE_Key")
        }
        do throws(COSEError) {
            let key = try COSEKey(cbor: item, allowsXOnly: true)
            if case .ed25519 = key.material { throw COSEError.key("the key is not on P-256") }
            try key.checkPoint()
            return key
        } catch {
            throw .key(error)
        }
    }
}
