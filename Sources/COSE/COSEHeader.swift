internal import CBOR

/// Labels of the header parameters that this project uses, RFC 9052 §3.1.
public enum COSEHeader {
    public static let algorithm: Int64 = 1
    public static let critical: Int64 = 2
    public static let contentType: Int64 = 3
    public static let keyID: Int64 = 4
    /// Content type of the whole message, RFC 9596.
    public static let type: Int64 = 16
    /// A certificate chain, RFC 9360.
    public static let x5chain: Int64 = 33

    /// For messages; text is quoted, as a stranger chose it.
    static func describe(_ label: CBORValue) -> String {
        label.integer.map(String.init) ?? label.text?.debugDescription ?? "of another type"
    }

    /// RFC 9052 §3: labels are integers or text, and no label stands in both buckets.
    static func check(protected: CBORMap, unprotected: CBORMap) throws(COSEError) {
        for map in [protected, unprotected] {
            for pair in map.pairs {
                switch pair.key {
                case .unsigned, .negative, .text: continue
                default: throw .header("a header label is neither integer nor text")
                }
            }
        }
        // Most messages have nothing in this bucket.
        if !unprotected.pairs.isEmpty {
            let open = Set(unprotected.pairs.map(\.key))
            for pair in protected.pairs where open.contains(pair.key) {
                throw .header("the header parameter \(describe(pair.key)) stands in both buckets")
            }
        }
        for map in [protected, unprotected] {
            if let keyID = map[.int(COSEHeader.keyID)], keyID.bytes == nil {
                throw .header("the key ID is not a byte string")
            }
        }
    }

    /// RFC 9052 §3.1, "crit": protected, not empty, every label present and understood.
    ///
    /// - Parameter understood: besides algorithm and key ID, which every message is read by.
    static func checkCritical(
        protected: CBORMap, unprotected: CBORMap, understood: Set<Int64>
    ) throws(COSEError) {
        guard unprotected[.int(critical)] == nil else { throw .header("crit is not protected") }
        guard let value = protected[.int(critical)] else { return }
        guard case .array(let labels) = value, !labels.isEmpty else {
            throw .header("crit is not an array of labels")
        }
        for label in labels {
            guard let number = label.integer,
                number == algorithm || number == keyID || understood.contains(number)
            else {
                throw .criticalHeader(label)
            }
            guard protected[label] != nil else {
                throw .header("the critical header parameter \(number) is missing")
            }
        }
    }
}
