public import CBOR
public import OpenSSL

/// A signed message with one signer, RFC 9052 §4.2. Decoding does not verify it.
public struct COSESign1: Hashable, Sendable {
    /// The protected header as received: what was signed, never encoded again.
    public let protectedBytes: [UInt8]
    public let protected: CBORMap
    public let unprotected: CBORMap
    /// As received.
    public let payload: [UInt8]
    /// For ECDSA r ‖ s, RFC 9053 §2.1.
    public let signature: [UInt8]
    /// From the protected header; a message without it there is refused.
    public let algorithm: COSEAlgorithm

    /// CBOR tag of a COSE_Sign1, RFC 9052 §2.
    public static let tag: UInt64 = 18

    /// Whether the tag stands in front: the context decides, RFC 9052 §2.
    public enum Tagging: Hashable, Sendable {
        case required, optional, forbidden
    }

    /// The key ID of whichever header has one. The unprotected one is only a hint.
    public var keyID: [UInt8]? {
        (protected[.int(COSEHeader.keyID)] ?? unprotected[.int(COSEHeader.keyID)])?.bytes
    }

    /// The Sig_structure that the signature covers, RFC 9052 §4.4.
    ///
    /// - Parameter externalData: What both sides know and the message does not carry.
    public func signedBytes(externalData: [UInt8] = []) -> [UInt8] {
        Self.signedBytes(protected: protectedBytes, externalData: externalData, payload: payload)
    }

    /// Whether `key` made the signature with an algorithm that it can be used with.
    public func verify(with key: VerificationKey, externalData: [UInt8] = []) -> Bool {
        verify(with: key, over: signedBytes(externalData: externalData))
    }

    private func verify(with key: VerificationKey, over signedBytes: [UInt8]) -> Bool {
        guard algorithm == .es256 || algorithm == .esp256 else { return false }
        return key.isValid(signature: signature, for: signedBytes)
    }

    /// As ``verify(with:externalData:)``, and the key's own restrictions hold.
    ///
    /// - Throws: `COSEError.algorithm` if the key is of another kind, `.key` if it can't be used,
    ///   `.signature` if it did not sign this.
    public func verify(with key: COSEKey, externalData: [UInt8] = []) throws(COSEError) {
        try verify(with: key, over: signedBytes(externalData: externalData))
    }

    /// As ``verify(with:externalData:)``, for who has this message's `signedBytes` already.
    package func verify(with key: COSEKey, over signedBytes: [UInt8]) throws(COSEError) {
        guard key.allows(algorithm) else { throw .algorithm(algorithm, key: key.curveName) }
        guard verify(with: try key.verificationKey(), over: signedBytes) else {
            throw .signature
        }
    }

    private static func signedBytes(
        protected: [UInt8], externalData: [UInt8], payload: [UInt8]
    ) -> [UInt8] {
        let structure: [CBORValue] = [
            .text("Signature1"), .bytes(protected), .bytes(externalData), .bytes(payload),
        ]
        return CBORValue.array(structure).encoded()
    }
}

// MARK: - Decoding

extension COSESign1 {
    /// Reads one message that fills `bytes`.
    ///
    /// - Parameter understood: Labels of critical header parameters that the caller acts upon,
    ///   besides those that this type acts upon itself.
    /// - Throws: `COSEError` for any other item, a detached payload, an algorithm that is not
    ///   protected, or a critical header parameter that is not understood.
    public static func decode(
        _ bytes: [UInt8], tag: Tagging = .required, form: CBORForm = .wellFormed,
        understanding understood: Set<Int64> = []
    ) throws(COSEError) -> COSESign1 {
        let item = try CBORValue.decodeItem(bytes, form: form)
        return try COSESign1(cbor: item, tag: tag, form: form, understanding: understood)
    }

    /// Reads a message that stands inside another item.
    public init(
        cbor item: CBORValue, tag: Tagging, form: CBORForm = .wellFormed,
        understanding understood: Set<Int64> = []
    ) throws(COSEError) {
        let content = try Self.untagged(item, tag)
        guard case .array(let elements) = content, elements.count == 4 else {
            throw .structure("a COSE_Sign1 is an array of 4 elements")
        }
        guard let protectedBytes = elements[0].bytes else {
            throw .structure("the protected header is not a byte string")
        }
        guard let unprotected = elements[1].map else {
            throw .structure("the unprotected header is not a map")
        }
        if elements[2] == .simple(22) { throw .detachedPayload }
        guard let payload = elements[2].bytes else {
            throw .structure("the payload is not a byte string")
        }
        guard let signature = elements[3].bytes else {
            throw .structure("the signature is not a byte string")
        }
        let protected = try Self.protectedHeader(protectedBytes, form)
        try COSEHeader.check(protected: protected, unprotected: unprotected)
        try COSEHeader.checkCritical(
            protected: protected, unprotected: unprotected, understood: understood)
        guard let algorithm = protected[.int(COSEHeader.algorithm)]?.integer else {
            throw .header("the protected header has no algorithm that is a number")
        }
        self.protectedBytes = protectedBytes
        self.protected = protected
        self.unprotected = unprotected
        self.payload = payload
        self.signature = signature
        self.algorithm = COSEAlgorithm(rawValue: algorithm)
    }

    private static func untagged(_ item: CBORValue, _ tagging: Tagging) throws(COSEError)
        -> CBORValue
    {
        switch (item, tagging) {
        case (.tagged(tag, let content), .required), (.tagged(tag, let content), .optional):
            return content
        case (.tagged(let found, _), .forbidden):
            throw .structure("expected no tag, found tag \(found)")
        case (.tagged(let found, _), _): throw .tag(expected: tag, found: found)
        case (_, .required): throw .tag(expected: tag, found: nil)
        default: return item
        }
    }

    private static func protectedHeader(_ bytes: [UInt8], _ form: CBORForm) throws(COSEError)
        -> CBORMap
    {
        // RFC 9052 §3: an empty header may be an empty string.
        guard !bytes.isEmpty else { return CBORMap() }
        guard let map = try CBORValue.decodeItem(bytes, form: form).map else {
            throw .structure("the protected header is not a map")
        }
        return map
    }
}

// MARK: - Encoding and signing

extension COSESign1 {
    /// The message as an item; protected header, payload and signature exactly as they are.
    public func cbor(isTagged: Bool = true) -> CBORValue {
        let message = CBORValue.array([
            .bytes(protectedBytes), .map(unprotected), .bytes(payload), .bytes(signature),
        ])
        return isTagged ? .tagged(Self.tag, message) : message
    }

    public func encoded(isTagged: Bool = true) -> [UInt8] { cbor(isTagged: isTagged).encoded() }

    /// Signs `payload`.
    ///
    /// - Parameters:
    ///   - keyID: Goes into the protected header, so that nobody can change it.
    ///   - protected: More of the protected header; the signer's algorithm is put there anyhow.
    /// - Throws: what the signer throws; a repeat helps where its token or file comes back.
    public static func sign(
        payload: [UInt8], keyID: [UInt8]? = nil, protected: CBORMap = CBORMap(),
        unprotected: CBORMap = CBORMap(), externalData: [UInt8] = [], using signer: some COSESigner
    ) throws(OpenSSLError) -> COSESign1 {
        var header = protected
        header[.int(COSEHeader.algorithm)] = .int(signer.algorithm.rawValue)
        if let keyID { header[.int(COSEHeader.keyID)] = .bytes(keyID) }
        let headerBytes = CBORValue.map(header).encoded()
        let message = signedBytes(
            protected: headerBytes, externalData: externalData, payload: payload)
        return COSESign1(
            protectedBytes: headerBytes, protected: header, unprotected: unprotected,
            payload: payload, signature: try signer.sign(message), algorithm: signer.algorithm)
    }
}
