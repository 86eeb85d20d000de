#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A new pseudo-terminal, by its two ends.
///
/// A program that is started inherits neither of them. Whoever made it closes them.
package struct PseudoTerminal: Sendable {
    /// The end of what stands for a device.
    package let master: Int32
    /// One opening of `path`. While it lasts, the master never sees the users of `path` go.
    package let slave: Int32
    /// What users open: `/dev/pts/7`.
    package let path: String

    /// - Parameters:
    ///   - isRaw: false: it has a terminal's usual settings, and echoes what the master sends.
    ///   - columns: what programs take for its width; nil: unknown to them.
    package init(isRaw: Bool = true, columns: UInt16? = nil) throws(SystemError) {
        var (master, slave) = (Int32(-1), Int32(-1))
        // POSIX names no length; Linux's are `/dev/pts/` and a number, macOS's `/dev/ttys` and three digits.
        var name = [CChar](repeating: 0, count: 128)
        var settings = termios()
        cfmakeraw(&settings)
        var size = winsize(ws_row: 50, ws_col: columns ?? 0, ws_xpixel: 0, ws_ypixel: 0)
        let status = withUnsafeMutablePointer(to: &settings) { settings in
            withUnsafeMutablePointer(to: &size) { size in
                openpty(
                    &master, &slave, &name, isRaw ? settings : nil, columns == nil ? nil : size)
            }
        }
        guard status == 0 else { throw .last }
        (self.master, self.slave) = (master, slave)
        path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    /// Closes both ends, and so hangs up on whoever has it open. To be called once.
    package func close() {
        closeDescriptor(slave)
        closeDescriptor(master)
    }
}
