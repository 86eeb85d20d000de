import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An errno value that prints as the system's text: `Permission denied`.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// What lies below an error of Foundation's, whose own words often name no cause. Nil: it does not say.
    package init?(below error: any Error) {
        var next: NSError? = error as NSError
        while let error = next {
            if error.domain == NSPOSIXErrorDomain {
                self.init(Int32(truncatingIfNeeded: error.code))
                return
            }
            // Not `as? NSError`: on Linux it is a `POSIXError`, which that does not find.
            next = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
        }
        return nil
    }

    /// Of the call that just failed.
    package static var last: SystemError { SystemError(errno) }

    package var description: String {
        var text = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &text, text.count) == 0 else { return "error \(number)" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
