public import OpenSSL

extension SigningKey: COSESigner {
    public var algorithm: COSEAlgorithm { .es256 }
}
