extension Sequence<UInt8> {
    /// Lower case, two digits for each octet.
    package var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
