internal import OpenSSL

/// Universal Entity ID, RFC 9711 §4.2.1, as this project derives it.
public enum UEID {
    /// Octets: one for the type, 16 of a digest.
    public static let length = 17

    /// RFC 9711 §4.2.1.1, type RAND: 128 bits that are unique without being registered.
    private static let typeRandom: UInt8 = 0x01

    /// `0x01 ‖` the first 16 octets of SHA-256(board ‖ 0x00 ‖ id): IDs are unique only within one
    /// board type, so the board goes in.
    public static func derive(board: String, id: DeviceID) -> [UInt8] {
        let digest = SHA256.hash(Array(board.utf8) + [0x00] + id.bytes)
        return [typeRandom] + digest.prefix(length - 1)
    }

    public static func derive(_ identity: DeviceIdentity) -> [UInt8] {
        derive(board: identity.board, id: identity.id)
    }
}
