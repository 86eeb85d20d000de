import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A pipe with a name and no writer yet is no reason to wait here.
func openLog(_ path: String) throws(ProvisioningError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw .noLog(path, .last) }
    return descriptor
}

/// None is the end.
func readLog(
    _ limit: Int, _ read: (UnsafeMutableRawPointer?) -> Int
) -> Result<[UInt8], SystemError> {
    var (count, error) = (0, Int32(0))
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
        count = read(buffer.baseAddress)
        error = errno
        filled = max(0, count)
    }
    return count < 0 ? .failure(SystemError(error)) : .success(bytes)
}

extension ProvisioningError {
    static func noLog(_ name: String, _ error: SystemError) -> ProvisioningError {
        ProvisioningError(
            .channelUnavailable, "\(name) cannot be read as a log: \(error)",
            hint: "--log takes a file, - for standard input, channel, flasher, tcp:HOST:PORT or "
                + "listen:HOST:PORT")
    }

    static func logEnded(_ reason: String) -> ProvisioningError {
        ProvisioningError(.channelClosed, reason)
    }

    static func readOnlyLog(_ name: String) -> ProvisioningError {
        ProvisioningError(.channelUnavailable, "nothing can be sent to \(name): it is a log")
    }
}
