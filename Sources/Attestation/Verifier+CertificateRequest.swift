internal import COSE
internal import OpenSSL

/// What a run knows about a device before it appraises its certificate request.
public struct RequestExpectation: Hashable, Sendable {
    /// What the device said in its hello.
    public var identity: DeviceIdentity
    /// What the device said in the key step: an uncompressed SEC 1 point, 65 octets for P-256.
    public var publicKey: [UInt8]
    /// What the probe read, without the firmware's help; nil where it can't.
    public var probedID: DeviceID?

    public init(identity: DeviceIdentity, publicKey: [UInt8], probedID: DeviceID?) {
        self.identity = identity
        self.publicKey = publicKey
        self.probedID = probedID
    }
}

extension Verifier {
    /// Whether a certification request, RFC 2986, is by the device that was expected, and proves
    /// possession of the key that it announced.
    ///
    /// A request answers no nonce and names no credential, so that the result is not fresh and
    /// knows of no stored ones. It does not name the board either: that is the announced one.
    ///
    /// - Parameter der: One request; its subject has one common name, the device ID in lower-case
    ///   hexadecimal.
    /// - Throws: `AppraisalError`. A repeat does not help.
    public static func appraise(
        request der: [UInt8], against expectation: RequestExpectation
    ) throws(AppraisalError) -> AttestationResult {
        let request: CertificateRequest
        do throws(OpenSSLError) {
            request = try CertificateRequest(der: der)
        } catch {
            throw .request(error)
        }
        guard request.publicKey == expectation.publicKey, let key = COSEKey(p256: request.publicKey)
        else {
            throw .keyMismatch(announced: expectation.publicKey, claimed: request.publicKey)
        }
        let announced = expectation.identity.id
        let names = request.subject.attributes.filter { $0.type == .commonName }.map(\.value)
        guard names == [announced.description] else {
            throw .subjectMismatch(announced: announced, claimed: names)
        }
        if let probe = expectation.probedID, probe != announced {
            throw .probeMismatch(probe: probe, claimed: announced)
        }
        return AttestationResult(
            identity: expectation.identity, key: key, evidence: der,
            isProbeBound: expectation.probedID != nil)
    }
}
