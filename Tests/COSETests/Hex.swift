/// The octets that hexadecimal digits spell; white space is skipped.
func hex(_ digits: String) -> [UInt8] {
    let values = digits.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(values.count.isMultiple(of: 2))
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}
