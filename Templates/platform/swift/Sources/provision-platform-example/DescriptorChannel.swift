import Foundation
import Provisioning

/// The bytes of a serial port, or of whatever else can be opened by a path.
final class DescriptorChannel: Channel {
    let name: String
    private var descriptor: Int32

    init(_ path: String) throws(ProvisioningError) {
        name = path
        descriptor = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProvisioningError(.channelUnavailable, "\(path): \(failure)")
        }
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return }
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
    }

    deinit { close() }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        guard try isReady(POLLIN, within: timeout) else { return [] }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = Foundation.read(descriptor, &bytes, limit)
        if count > 0 { return Array(bytes[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return [] }
        throw left
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let end = ContinuousClock.now + timeout
        var rest = bytes[...]
        while !rest.isEmpty {
            guard try isReady(POLLOUT, within: max(.zero, end - .now)) else {
                throw ProvisioningError(
                    .channelUnavailable, "\(name) took all but \(rest.count) bytes")
            }
            let count = rest.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EAGAIN, errno != EINTR {
                throw left
            }
        }
    }

    func close() {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    private var left: ProvisioningError {
        ProvisioningError(.channelClosed, "the board has closed \(name)")
    }

    private func isReady(_ events: Int32, within timeout: Duration) throws(ProvisioningError)
        -> Bool
    {
        guard descriptor >= 0 else { throw left }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&entry, 1, Int32((timeout / .milliseconds(1)).rounded(.up))) > 0
    }
}
