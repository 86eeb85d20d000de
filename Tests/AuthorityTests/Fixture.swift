import Authority
import CBOR
import COSE
import Foundation
import Issuance
import OpenSSL
import OpenSSLJudge
import Testing

/// An authority in a folder of its own, with the `openssl` command beside it.
struct Fixture {
    let openssl: OpenSSLCommand
    let now: NumericDate
    let path: String
    let authority: FileAuthority

    init(profile: DeviceCertificateProfile = DeviceCertificateProfile()) throws {
        openssl = try OpenSSLCommand()
        now = NumericDate(seconds: Int64(Date().timeIntervalSince1970))
        path = openssl.path("authority")
        authority = try FileAuthority.create(at: path, name: "Test", now: now, profile: profile)
    }

    static func plan(
        types: Set<CredentialType> = [.x509Chain, .cwt, .trustAnchors],
        serialNumber: [UInt8] = [0x11] + [UInt8](repeating: 0xAB, count: 15),
        notBefore: NumericDate, notAfter: NumericDate? = nil
    ) throws -> IssuancePlan {
        IssuancePlan(
            deviceID: "1f0c22aa33bb44cc", board: "microbit",
            publicKey: try SigningKey.generate().publicKey,
            types: types, serialNumbers: [.x509Chain: serialNumber, .cwt: Array(0x01...0x10)],
            notBefore: notBefore, notAfter: notAfter)
    }

    /// A device's certificates, leaf first.
    func chain(_ plan: IssuancePlan) throws -> [Certificate] {
        let credential = try #require(try authority.sign(plan).first { $0.type == .x509Chain })
        return try Self.certificates(credential.bytes)
    }

    static func certificates(_ bytes: [UInt8]) throws -> [Certificate] {
        let items = try #require(try CBORValue.decode(bytes).array)
        return try items.map { try Certificate(der: #require($0.bytes)) }
    }

    /// Judges `leaf` with the authority's files and more options.
    func verify(_ leaf: Certificate, _ options: String...) throws -> (status: Int32, output: String)
    {
        let name = "leaf-\(UUID().uuidString)"
        try openssl.write(leaf.pem, to: name)
        return try openssl.run(
            ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", path + "/root.crt"]
                + ["-untrusted", path + "/issuing.crt"] + options + [name])
    }

    func writeLists(
        _ revoked: [RevokedCertificate], number: UInt64 = 1, from begin: NumericDate? = nil
    ) throws {
        let next = NumericDate(seconds: now.seconds + 86_400)
        let begin = begin ?? NumericDate(seconds: now.seconds - 60)
        let list = try authority.certificateRevocationList(
            revoked, number: number, thisUpdate: begin, nextUpdate: next)
        try openssl.write(list, to: "crl.der")
        let rootList = try authority.rootCertificateRevocationList(
            number: number, thisUpdate: begin, nextUpdate: next)
        try openssl.write(rootList, to: "root-crl.der")
        for name in ["crl", "root-crl"] {
            try openssl.run("crl", "-inform", "DER", "-in", name + ".der", "-out", name + ".pem")
        }
    }
}
