internal import COpenSSL

/// Path validation, RFC 5280 §6, by libcrypto with its strict checks.
public enum CertificateChain {
    /// Checks the path from `leaf` through `intermediates` to one of `anchors` at a given time.
    ///
    /// - Throws: `OpenSSLError` with libcrypto's reason, e.g. `"certificate has expired"`.
    public static func validate(
        _ leaf: Certificate, intermediates: [Certificate], anchors: [Certificate],
        at time: CertificateTime
    ) throws(OpenSSLError) {
        let operation = "validate the certificate chain"
        guard let store = X509_STORE_new() else { throw .last(operation) }
        defer { X509_STORE_free(store) }
        for anchor in anchors {
            let anchor = try ParsedCertificate(anchor, operation)
            guard X509_STORE_add_cert(store, anchor.handle) == 1 else { throw .last(operation) }
        }
        let target = try ParsedCertificate(leaf, operation)
        var parsed: [ParsedCertificate] = []
        for intermediate in intermediates {
            parsed.append(try ParsedCertificate(intermediate, operation))
        }
        guard let untrusted = OPENSSL_sk_new_null() else { throw .last(operation) }
        defer { OPENSSL_sk_free(untrusted) }
        for certificate in parsed {
            OPENSSL_sk_push(untrusted, UnsafeRawPointer(certificate.handle))
        }
        guard let context = X509_STORE_CTX_new() else { throw .last(operation) }
        defer { X509_STORE_CTX_free(context) }
        guard X509_STORE_CTX_init(context, store, target.handle, untrusted) == 1,
            let parameters = X509_STORE_CTX_get0_param(context)
        else { throw .last(operation) }
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_X509_STRICT))
        X509_VERIFY_PARAM_set_time(parameters, time_t(time.seconds))
        let isValid = withExtendedLifetime(parsed) { X509_verify_cert(context) == 1 }
        guard !isValid else { return }
        let code = X509_STORE_CTX_get_error(context)
        ERR_clear_error()
        throw OpenSSLError(
            operation, reason: String(cString: X509_verify_cert_error_string(Int(code))))
    }
}

/// libcrypto's own reading of a certificate.
private final class ParsedCertificate {
    let handle: OpaquePointer

    init(_ certificate: Certificate, _ operation: String) throws(OpenSSLError) {
        let handle = certificate.der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            return d2i_X509(nil, &cursor, bytes.count)
        }
        guard let handle else { throw .last(operation) }
        self.handle = handle
    }

    deinit { X509_free(handle) }
}
