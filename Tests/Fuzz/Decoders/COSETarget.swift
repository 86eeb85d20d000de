internal import CBOR
internal import COSE

extension FuzzTarget {
    /// COSE_Sign1, COSE_Key, COSE_KeySet and CWT: what is read can be written and read again.
    static let cose = FuzzTarget("cose") { input in
        try checkMessage(input)
        try checkToken(input)
        guard let item = try? CBORValue.decode(input) else { return }
        if let key = try? COSEKey(cbor: item) { try checkKey(key) }
        if let set = try? COSEKeySet(cbor: item) {
            try require(
                set.keys.count + set.ignoredCount == item.array?.count,
                "\(set.keys.count) keys and \(set.ignoredCount) ignored ones")
            for key in set.keys.prefix(4) { try checkKey(key) }
        }
        if let claims = try? CWTClaims(cbor: item) {
            try require(
                (try? CWTClaims(cbor: claims.cbor)) == claims, "other claims when written again")
            try? claims.checkValidity(at: NumericDate(seconds: 0), leeway: .max)
            try? claims.checkValidity(at: NumericDate(seconds: .max), leeway: .max)
        }
    }

    private static func checkMessage(_ input: [UInt8]) throws {
        for tagging in [COSESign1.Tagging.required, .optional, .forbidden] {
            guard let message = try? COSESign1.decode(input, tag: tagging) else { continue }
            let encoding = message.encoded(isTagged: tagging != .forbidden)
            let again = try? COSESign1.decode(encoding, tag: tagging)
            try require(again == message, "another message when written again")
            try require(
                again?.signedBytes() == message.signedBytes(), "other bytes are signed")
            // What was signed stands in the input as it came.
            try require(
                isSubsequence(message.protectedBytes, of: input)
                    && isSubsequence(message.payload, of: input),
                "signed bytes that did not arrive")
            guard tagging == .optional, let key = TestKey.unused else { continue }
            try require(!message.verify(with: key), "an invented signature is valid")
        }
    }

    private static func checkToken(_ input: [UInt8]) throws {
        guard let token = try? CWT.decode(input) else { return }
        try require(
            (try? CWT.decode(token.encoded(isTagged: true))) == token,
            "another token when written again")
    }

    private static func checkKey(_ key: COSEKey) throws {
        try require((try? COSEKey(cbor: key.cbor)) == key, "another key when written again")
        try require(key.thumbprint.count == 32, "a thumbprint of \(key.thumbprint.count) octets")
        _ = try? key.verificationKey()
    }

    /// In order, perhaps with the heads of chunks between.
    private static func isSubsequence(_ part: [UInt8], of whole: [UInt8]) -> Bool {
        var count = 0
        for byte in whole where count < part.count && byte == part[count] { count += 1 }
        return count == part.count
    }
}
