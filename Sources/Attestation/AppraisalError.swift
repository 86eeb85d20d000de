public import COSE
public import OpenSSL

/// Why a Verifier does not believe evidence. Each case carries what was expected and what came.
public enum AppraisalError: Error, Hashable, Sendable {
    /// The key in the evidence, by its thumbprint, did not sign the evidence.
    case signature(key: [UInt8])
    /// The nonce that this run sent, and the one in the evidence.
    case replayed(sent: [UInt8], claimed: [UInt8])
    /// The evidence's key can't be used, or not with the algorithm of its signature.
    case keyInvalid(COSEError)
    /// The public key that the device announced, and the one in the evidence.
    case keyMismatch(announced: [UInt8], claimed: [UInt8])
    /// The algorithm that the device announced for its key, and the one of the evidence's signature.
    case algorithmMismatch(announced: COSEAlgorithm, claimed: COSEAlgorithm)
    case idMismatch(announced: DeviceID, claimed: DeviceID)
    case boardMismatch(announced: String, claimed: String)
    case probeMismatch(probe: DeviceID, claimed: DeviceID)
    /// The UEID that the identity gives, and the one in the evidence.
    case ueidMismatch(derived: [UInt8], claimed: [UInt8])
    /// The earlier key, by its thumbprint, and the key that signed instead.
    case endorsementMismatch(known: [UInt8], claimed: [UInt8])
    /// SHA-256 of the credential of this type that the device should store, and of the one that it
    /// says it stores; nil: none.
    case credentialMismatch(type: UInt64, expected: [UInt8]?, claimed: [UInt8]?)
    /// Not a certification request whose key signed it.
    case request(OpenSSLError)
    /// The ID that the device announced, and the common names in its request.
    case subjectMismatch(announced: DeviceID, claimed: [String])
    /// A report with this key, by its thumbprint, names no device, and no probe read an ID.
    case idMissing(key: [UInt8])

    public var code: RefusalCode {
        switch self {
        case .signature: .evidenceSignature
        case .replayed: .evidenceReplayed
        case .keyInvalid: .keyInvalid
        case .keyMismatch, .algorithmMismatch, .endorsementMismatch: .keyMismatch
        case .idMismatch, .boardMismatch, .probeMismatch, .ueidMismatch, .subjectMismatch:
            .idMismatch
        case .credentialMismatch: .credentialMismatch
        case .request: .csrRefused
        case .idMissing: .idMissing
        }
    }
}

extension AppraisalError: CustomStringConvertible {
    /// Lower case, no full stop, with both values.
    public var description: String {
        switch self {
        case .signature(let key): "the key \(key.hexadecimal) did not sign the evidence"
        case .replayed(let sent, let claimed):
            "the nonce sent is \(sent.hexadecimal), the evidence has \(claimed.hexadecimal)"
        case .keyInvalid(let error): "the evidence's key cannot be used: \(error)"
        case .keyMismatch(let announced, let claimed):
            "the device announced the key \(announced.hexadecimal), "
                + "the evidence has \(claimed.hexadecimal)"
        case .algorithmMismatch(let announced, let claimed):
            "the device announced a key for \(announced), the evidence is signed with \(claimed)"
        case .idMismatch(let announced, let claimed):
            "the device announced the id \(announced), the evidence says \(claimed)"
        case .boardMismatch(let announced, let claimed):
            "the expected board is \(announced.debugDescription), "
                + "the evidence says \(claimed.debugDescription)"
        case .probeMismatch(let probe, let claimed):
            "the probe read \(probe), the evidence says \(claimed)"
        case .ueidMismatch(let derived, let claimed):
            "board and id give the ueid \(derived.hexadecimal), "
                + "the evidence says \(claimed.hexadecimal)"
        case .endorsementMismatch(let known, let claimed):
            "the earlier key is \(known.hexadecimal), \(claimed.hexadecimal) signed"
        case .credentialMismatch(let type, let expected, let claimed):
            "the device should store \(expected?.hexadecimal ?? "nothing") "
                + "as credential \(type), it says \(claimed?.hexadecimal ?? "nothing")"
        case .request(let error): "\(error)"
        case .subjectMismatch(let announced, let claimed):
            "the device announced the id \(announced), "
                + "the request's common name is \(claimed.isEmpty ? "missing" : "\(claimed)")"
        case .idMissing(let key):
            "the report of key \(key.hexadecimal) names no device, and no probe read its id"
        }
    }
}
