#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An errno value that prints as the system's text: `Permission denied`.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// Of the call that just failed.
    package static var last: SystemError { SystemError(errno) }

    package var description: String {
        var text = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &text, text.count) == 0 else { return "error \(number)" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
