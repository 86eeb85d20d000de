import Foundation
import Provisioning

/// A channel that breaks one promise.
final class WrongChannel: Channel {
    enum Fault: Sendable {
        case losesBytes, translatesLineEnds, waitsForMore, exceedsLimits, endsEarly, inventsBytes
        case swallowsWrites, hidesTheEnd, staysOpen, hidesInterruptions, hasNoName
    }

    private let inner: any Channel
    private let fault: Fault

    init(_ inner: any Channel, _ fault: Fault) {
        self.inner = inner
        self.fault = fault
    }

    var name: String { fault == .hasNoName ? "" : inner.name }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        switch fault {
        case .losesBytes:
            let bytes = try inner.read(atMost: limit, within: timeout)
            return bytes.filter { $0 != 0x11 }
        case .waitsForMore:
            _ = try inner.read(atMost: 1, within: timeout)
            return []
        case .exceedsLimits:
            return try inner.read(atMost: limit + 1, within: timeout)
        case .endsEarly:
            return try inner.read(atMost: limit, within: .zero)
        case .inventsBytes:
            return [0]
        case .hidesTheEnd, .hidesInterruptions:
            do throws(ProvisioningError) {
                return try inner.read(atMost: limit, within: timeout)
            } catch {
                throw ProvisioningError(.internalFailure, error.reason)
            }
        case .translatesLineEnds, .swallowsWrites, .staysOpen, .hasNoName:
            return try inner.read(atMost: limit, within: timeout)
        }
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        switch fault {
        case .translatesLineEnds:
            try inner.write(bytes.map { $0 == 0x0A ? 0x0D : $0 }, within: timeout)
        case .swallowsWrites: break
        default: try inner.write(bytes, within: timeout)
        }
    }

    func close() {
        if fault != .staysOpen { inner.close() }
    }
}
