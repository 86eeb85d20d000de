internal import CBOR
internal import COSE
internal import OpenSSL

extension IssuancePlan {
    /// Characters of a board type that a plan may name.
    public static let boardLength = 1...64

    /// Checks all that can be checked without a key, so that nothing is signed or recorded for a
    /// plan that would fail half-way.
    ///
    /// - Throws: `IssuanceError` that names the first value at fault.
    public func validate() throws(IssuanceError) {
        guard !types.isEmpty else { throw IssuanceError("the plan has no credential type") }
        try validateSubject()
        try validateSerialNumbers()
        try validateTime()
        try validateKey()
    }

    private func validateKey() throws(IssuanceError) {
        let whole = COSEKey(p256: publicKey)
        guard let key = whole ?? COSEKey(p256X: publicKey) else {
            throw IssuanceError(
                "a public key of \(publicKey.count) octets is none of P-256: expected 65 octets, or "
                    + "32 of x alone")
        }
        do throws(COSEError) {
            try key.checkPoint()
        } catch {
            throw IssuanceError("\(error)")
        }
        // RFC 5480 §2.2: a SubjectPublicKeyInfo holds a point, with y or its sign.
        guard whole != nil || !types.contains(.x509Chain) else {
            throw IssuanceError(
                "of the public key only x is known, and an X.509 certificate needs y",
                hint: "a CWT takes it: --credentials cwt")
        }
    }

    private func validateSubject() throws(IssuanceError) {
        guard Self.isHexadecimal(deviceID) else {
            throw IssuanceError("the device ID \"\(deviceID)\" is not lower-case hexadecimal")
        }
        let length = deviceID.utf8.count
        if types.contains(.x509Chain), length > DistinguishedName.maximumLength {
            throw IssuanceError(
                "a device ID of \(length / 2) octets does not fit into a certificate's serialNumber "
                    + "of \(DistinguishedName.maximumLength) characters",
                hint: "a CWT takes it: --credentials cwt")
        }
        let board = board.unicodeScalars
        guard Self.boardLength.contains(board.count), board.allSatisfy(\.isPrintable) else {
            throw IssuanceError(
                "the board type \(self.board.debugDescription) does not have "
                    + "\(Self.boardLength.lowerBound) to \(Self.boardLength.upperBound) printable characters"
            )
        }
    }

    private func validateSerialNumbers() throws(IssuanceError) {
        for type in types.sorted(by: { $0.rawValue < $1.rawValue }) where type != .trustAnchors {
            guard let serialNumber = serialNumbers[type] else {
                throw IssuanceError("the plan has no serial number for \(type)")
            }
            guard CertificateTemplate.isSerialNumber(serialNumber) else {
                throw IssuanceError(
                    "the serial number for \(type) is not positive with at most "
                        + "\(CertificateTemplate.maximumSerialNumberLength) octets")
            }
        }
    }

    private func validateTime() throws(IssuanceError) {
        let begin = try Self.certificateTime(notBefore)
        guard let notAfter else { return }
        guard begin < (try Self.certificateTime(notAfter)) else {
            throw IssuanceError(
                "the credential ends at \(notAfter.seconds), before it begins at \(notBefore.seconds)"
            )
        }
    }

    static func certificateTime(_ date: NumericDate) throws(IssuanceError) -> CertificateTime {
        guard let time = CertificateTime(seconds: date.seconds) else {
            throw IssuanceError(
                "\(date.seconds) is not a second from 1950 to 9999",
                hint: "set the clock, or issue for a shorter time")
        }
        return time
    }

    private static func isHexadecimal(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count.isMultiple(of: 2)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
