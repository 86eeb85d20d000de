/// The names of an authority's files, in its folder.
enum AuthorityFile {
    static let rootKey = "root.key"
    static let rootCertificate = "root.crt"
    static let issuingKey = "issuing.key"
    static let issuingCertificate = "issuing.crt"
    static let tokenKey = "cwt.key"
    static let tokenPublicKey = "cwt.pub"

    static let all = [
        rootKey, rootCertificate, issuingKey, issuingCertificate, tokenKey, tokenPublicKey,
    ]
}
