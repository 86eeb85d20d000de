import COpenSSL

/// This process's libcrypto.
public enum CryptographicLibrary {
    /// Leaves libcrypto's memory to the system when the process ends. Else it is freed as soon as one thread ends the
    /// process, under the feet of others that still read keys or check signatures.
    ///
    /// To be called before anything else of this module. OPENSSL_init_crypto(3), `OPENSSL_INIT_NO_ATEXIT`.
    public static func staysToTheEnd() {
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }
}
