internal import COpenSSL

extension SigningKey {
    /// Reads an unencrypted private key: PEM with PKCS#8 (RFC 5958) or SEC 1 inside.
    ///
    /// - Throws: `OpenSSLError` for anything but one P-256 private key, or if the public key that
    ///   stands beside it is another one's. Never asks for a password.
    public convenience init(pem: Secret) throws(OpenSSLError) {
        let operation = "read the private key"
        let key = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
                return nil
            }
            defer { BIO_free(bio) }
            // Without a callback libcrypto would ask for the password on the terminal.
            return PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key else { throw .last(operation) }
        // libcrypto takes both parts as they stand, and would sign what nobody can verify.
        guard let context = EVP_PKEY_CTX_new(key, nil) else {
            EVP_PKEY_free(key)
            throw .last(operation)
        }
        let isPair = EVP_PKEY_pairwise_check(context) == 1
        EVP_PKEY_CTX_free(context)
        guard isPair else {
            EVP_PKEY_free(key)
            ERR_clear_error()
            throw OpenSSLError(operation, reason: "its public key is not its own")
        }
        try self.init(adopting: key, operation)
    }

    /// The private key as unencrypted PKCS#8 in PEM. Only for a file that nobody else can read.
    public func pem() throws(OpenSSLError) -> Secret {
        let operation = "write the private key"
        // The secure-memory BIO zeroes what it held.
        guard let bio = BIO_new(BIO_s_secmem()) else { throw .last(operation) }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PKCS8PrivateKey(bio, handle, nil, nil, 0, nil, nil) == 1 else {
            throw .last(operation)
        }
        let length = BIO_ctrl(bio, BIO_CTRL_PENDING, 0, nil)
        let secret = Secret(capacity: length) { buffer in
            Int(BIO_read(bio, buffer.baseAddress, Int32(buffer.count)))
        }
        guard length > 0, secret.count == length else { throw .last(operation) }
        return secret
    }
}
