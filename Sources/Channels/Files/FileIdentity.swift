#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a path leads to, whatever its name: two names of one file are equal, and a device node that has left
/// and come back is another.
package struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    let inode: UInt64
    /// The number of a device node's device; 0 of any other file.
    private let node: UInt64

    /// Follows links. Nil if there is nothing.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        node = UInt64(truncatingIfNeeded: status.st_rdev)
    }

    /// The number of a pseudo-terminal's slave; nil of anything else.
    var terminalNumber: UInt32? {
        // Documentation/admin-guide/devices.txt: majors 136 to 143 are UNIX98 PTY slaves.
        let major = Self.major(node)
        return (136...143).contains(major) ? (major - 136) << 20 | Self.minor(node) : nil
    }

    /// Of the device that the file lies on.
    var major: UInt32 { Self.major(device) }
    var minor: UInt32 { Self.minor(device) }

    // As <sys/sysmacros.h>, whose macros Swift does not import.
    private static func major(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: (number >> 8) & 0xFFF | (number >> 32) & 0xFFFF_F000)
    }

    private static func minor(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: number & 0xFF | (number >> 12) & 0xFFFF_FF00)
    }
}
