public import COSE

/// What a log line says about a device's key, for devices that can't be asked.
public enum DeviceReport: Hashable, Sendable {
    /// Signed with the key that it reports.
    case evidence(Evidence)
    /// Signed by nobody.
    case claimsSet(ReportedClaimsSet)

    public var format: ReportFormat {
        switch self {
        case .evidence: .provision
        case .claimsSet: .ariel
        }
    }

    public var key: COSEKey {
        switch self {
        case .evidence(let evidence): evidence.key
        case .claimsSet(let claims): claims.key
        }
    }

    /// What the line itself says that the device is; nil where it doesn't.
    public var deviceID: DeviceID? {
        switch self {
        case .evidence(let evidence): evidence.identity.id
        case .claimsSet(let claims): claims.deviceID
        }
    }
}

/// Whose way to write a report it is: the names in `[report] formats` of a platform file.
public enum ReportFormat: String, CaseIterable, Sendable, Hashable {
    /// This project's device library's: see ``ReportLine``.
    case provision
    /// Ariel OS's: see ``ReportedClaimsSet``.
    case ariel

    /// What a progress line calls it.
    public var title: String {
        switch self {
        case .provision: "signed evidence"
        case .ariel: "Ariel OS's form"
        }
    }

    /// What introduces a report in a line.
    public var markers: [String] {
        switch self {
        case .provision: [ReportLine.marker]
        case .ariel: ReportedClaimsSet.Marker.allCases.map(\.rawValue)
        }
    }

    /// The report whose marker `text` begins with; what follows it is ignored.
    ///
    /// - Throws: `EvidenceError` if it is none, or none that is whole.
    func report(_ marker: String, in text: ArraySlice<UInt8>) throws(EvidenceError) -> DeviceReport?
    {
        switch self {
        case .provision:
            .evidence(try ReportLine.evidence(encodedIn: text.dropFirst(marker.utf8.count)))
        case .ariel:
            try ReportedClaimsSet.Marker(rawValue: marker).map {
                (marker) throws(EvidenceError) in
                .claimsSet(try ReportedClaimsSet(marker, text))
            }
        }
    }
}
