import Foundation
import JTAGProbe
import Synchronization
import Testing

/// A chip whose firmware passes on, in both directions, what goes through its RTT rings and a pty.
final class ChipOnLine {
    let ram: TargetRAM

    /// The firmware has it: a probe may look as long as there is RAM, and must not write to whatever got the
    /// number of a descriptor that was closed.
    private final class Line: Sendable {
        let descriptor: Int32

        init(_ port: String) throws {
            descriptor = open(port, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
            try #require(descriptor >= 0)
        }

        deinit { close(descriptor) }
    }

    /// - Parameters:
    ///   - port: the pty, whose other end is a device.
    ///   - decoy: RTT that is nobody's, and moves.
    init(
        _ port: String, firmware: RingFirmware = RingFirmware(), decoy: RingFirmware? = nil
    ) throws {
        let line = try Line(port)
        var settings = termios()
        cfmakeraw(&settings)
        tcsetattr(line.descriptor, TCSANOW, &settings)
        let waiting = Mutex((toLine: [UInt8](), toHost: [UInt8]()))
        ram = TargetRAM(size: 0x5000) { ram in
            if decoy?.send([0x21], &ram) == 0 { decoy?.start(&ram) }
            waiting.withLock { waiting in
                if waiting.toLine.isEmpty { waiting.toLine = firmware.received(&ram) }
                if !waiting.toLine.isEmpty {
                    let count = write(line.descriptor, waiting.toLine, waiting.toLine.count)
                    waiting.toLine.removeFirst(max(0, count))
                }
                var bytes = [UInt8](repeating: 0, count: 512)
                if waiting.toHost.isEmpty,
                    case let count = read(line.descriptor, &bytes, bytes.count),
                    count > 0
                {
                    waiting.toHost = Array(bytes[..<count])
                }
                waiting.toHost.removeFirst(firmware.send(waiting.toHost, &ram))
            }
        }
        ram.edit { ram in
            firmware.start(&ram)
            decoy?.start(&ram)
        }
    }
}
