/// Content octets of the object identifiers that certificates use.
enum ObjectIdentifiers {
    // Attribute types, X.520.
    static let commonName: [UInt8] = [0x55, 0x04, 0x03]
    static let serialNumber: [UInt8] = [0x55, 0x04, 0x05]
    static let countryName: [UInt8] = [0x55, 0x04, 0x06]
    static let organizationName: [UInt8] = [0x55, 0x04, 0x0A]
    static let organizationalUnitName: [UInt8] = [0x55, 0x04, 0x0B]

    // Certificate and CRL extensions, RFC 5280 §4.2.1 and §5.2.
    static let subjectKeyIdentifier: [UInt8] = [0x55, 0x1D, 0x0E]
    static let keyUsage: [UInt8] = [0x55, 0x1D, 0x0F]
    static let basicConstraints: [UInt8] = [0x55, 0x1D, 0x13]
    static let crlNumber: [UInt8] = [0x55, 0x1D, 0x14]
    static let reasonCode: [UInt8] = [0x55, 0x1D, 0x15]
    static let authorityKeyIdentifier: [UInt8] = [0x55, 0x1D, 0x23]
}

/// AlgorithmIdentifier of ecdsa-with-SHA256, RFC 5758 §3.2: parameters are absent.
enum AlgorithmIdentifiers {
    static let ecdsaWithSHA256: [UInt8] = [
        0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02,
    ]
}
