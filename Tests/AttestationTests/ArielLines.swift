/// Lines of Ariel OS.
enum ArielLines {
    /// x of the sample in the README of its example coap-server, branch no-more-demokeys.
    static let x = "b9943adbc95be73fd6db7b700a2f9b20b311ed0691317cb418da61e14e03db07"
    /// That sample, byte by byte.
    static let identity =
        "[INFO ] CoAP server identity: {8:{1:{1:2, 2:h'', -1:1, -2:h'\(x)'}}}"
    /// The same claims set as CBOR.
    static let claimsSet: [UInt8] =
        [0xa1, 0x08, 0xa1, 0x01, 0xa4, 0x01, 0x02, 0x02, 0x40, 0x20, 0x01, 0x21, 0x58, 0x20]
        + stride(from: 0, to: 64, by: 2).map { index in
            UInt8(x.dropFirst(index).prefix(2), radix: 16)!
        }
    /// Made here in the form of its `{:02x?}`, which it documents without a sample.
    static let identityInHexadecimal = "[INFO ] CoAP server identity: " + list(claimsSet, radix: 16)
    /// Made here in the form of its pull request 453, which has the format and no sample.
    static let provisioned = provisioned(board: "nrf52840dk", id: [1, 2, 3, 255])

    static func provisioned(board: String, id: [UInt8], _ claims: [UInt8] = claimsSet) -> String {
        "Device provisioned: board=\(board)\tdevice_id=\(list(id, radix: 10))\tedhoc_kccs="
            + list(claims, radix: 10)
    }

    static func list(_ octets: [UInt8], radix: Int) -> String {
        let words = octets.map { octet in
            let digits = String(octet, radix: radix)
            return radix == 16 && digits.count == 1 ? "0\(digits)" : digits
        }
        return "[\(words.joined(separator: ", "))]"
    }
}
