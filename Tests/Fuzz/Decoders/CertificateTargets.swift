internal import Attestation
internal import OpenSSL

extension FuzzTarget {
    /// A certification request, as it comes and as one that is well signed.
    static let request = FuzzTarget("request", maximumLength: 1024) { input in
        try checkRequest(input, isWellSigned: false)
        guard let signature = try? TestKey.signing.signDER(input) else { return }
        let ecdsaWithSHA256: [UInt8] = [
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
        ]
        try checkRequest(
            der(0x30, input + ecdsaWithSHA256 + der(0x03, [0] + signature)), isWellSigned: true)
    }

    private static func checkRequest(_ bytes: [UInt8], isWellSigned: Bool) throws {
        guard let request = try? CertificateRequest(der: bytes) else { return }
        try require(
            !isWellSigned || request.publicKey == TestKey.signing.publicKey,
            "a request for another key than the one that signed")
        try require((try? CertificateRequest(pem: request.pem)) == request, "another one in PEM")
        _ = request.subject.description
        // It is appraised only for the device whose ID is its one common name.
        let names = request.subject.attributes.filter { $0.type == .commonName }.map(\.value)
        guard let id = names.first.flatMap({ DeviceID(hexadecimal: $0) }) else { return }
        let expectation = RequestExpectation(
            identity: DeviceIdentity(board: "board", id: id), publicKey: request.publicKey,
            probedID: nil)
        let isAccepted = (try? Verifier.appraise(request: bytes, against: expectation)) != nil
        try require(isAccepted == (names == [id.description]), "accepted with the names \(names)")
    }

    /// A certificate that a device gives back, and the path from it.
    static let certificate = FuzzTarget("certificate", maximumLength: 2048) { input in
        guard let certificate = try? Certificate(der: input) else { return }
        try require((try? Certificate(pem: certificate.pem)) == certificate, "another one in PEM")
        try require(certificate.serialNumber.first != 0, "a serial number with leading zeroes")
        for time in [certificate.notBefore, certificate.notAfter] {
            try require(CertificateTime(seconds: time.seconds) == time, "the time is \(time)")
            try require(time.description.utf8.count == 15, "the time is \(time)")
        }
        _ = certificate.subject.description
        if let point = certificate.publicKey { _ = try? VerificationKey(p256: point) }
        try? CertificateChain.validate(
            certificate, intermediates: [certificate], anchors: [certificate],
            at: certificate.notBefore)
    }

    /// What stands in PEM files: also the user's own, who may have given the wrong one.
    static let pem = FuzzTarget("pem", maximumLength: 2048) { input in
        let text = String(decoding: input, as: UTF8.self)
        if let certificate = try? Certificate(pem: text) {
            try require(
                (try? Certificate(der: certificate.der)) == certificate, "another one in DER")
        }
        if let request = try? CertificateRequest(pem: text) {
            try require(
                (try? CertificateRequest(der: request.der)) == request, "another one in DER")
        }
        let secret = Secret(capacity: input.count) { buffer in
            buffer.copyBytes(from: input)
            return input.count
        }
        if let key = try? SigningKey(pem: secret) {
            let again = try SigningKey(pem: key.pem())
            try require(again.publicKey == key.publicKey, "another key when written again")
            let signature = try key.sign(input)
            let isValid = try VerificationKey(p256: key.publicKey).isValid(
                signature: signature, for: input)
            try require(isValid, "the key's signature is not its own")
        }
    }

    /// One value, X.690 §10.1.
    private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            content.count < 0x80
            ? [UInt8(content.count)]
            : [0x82, UInt8(content.count >> 8), UInt8(content.count & 0xff)]
        // Two octets of length where one is enough would not be DER.
        let minimal = length.count == 3 && length[1] == 0 ? [0x81, length[2]] : length
        return [tag] + minimal + content
    }
}
