internal import COpenSSL

/// Textual encodings, RFC 7468, of values that are no secret.
public enum PEM {
    public static let certificate = "CERTIFICATE"
    public static let certificateRequest = "CERTIFICATE REQUEST"
    public static let certificateRevocationList = "X509 CRL"

    /// Characters in a line, RFC 7468 §2.
    private static let lineLength = 64

    /// One block, lines of 64 characters.
    public static func encode(_ der: [UInt8], label: String) -> String {
        let base64 = [UInt8](unsafeUninitializedCapacity: (der.count + 2) / 3 * 4 + 1) {
            buffer, count in
            count = Int(EVP_EncodeBlock(buffer.baseAddress, der, Int32(der.count)))
        }
        var text = "-----BEGIN \(label)-----\n"
        for start in stride(from: 0, to: base64.count, by: lineLength) {
            let line = base64[start..<min(start + lineLength, base64.count)]
            text += String(decoding: line, as: UTF8.self) + "\n"
        }
        return text + "-----END \(label)-----\n"
    }

    /// The content of `text` if it is one block with this label; text may stand around it.
    static func decode(_ text: String, label: String) -> [UInt8]? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            // The BIO reads from `bytes` itself.
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
                return nil
            }
            defer {
                BIO_free(bio)
                ERR_clear_error()
            }
            guard let first = block(bio), first.label == label, block(bio) == nil else {
                return nil
            }
            return first.content
        }
    }

    private static func block(_ bio: OpaquePointer) -> (label: String, content: [UInt8])? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard PEM_read_bio(bio, &name, &header, &data, &length) == 1 else { return nil }
        defer {
            CRYPTO_free(name, #fileID, #line)
            CRYPTO_free(header, #fileID, #line)
            CRYPTO_free(data, #fileID, #line)
        }
        guard let name else { return nil }
        let content = Array(UnsafeBufferPointer(start: data, count: length))
        return (String(cString: name), content)
    }
}
