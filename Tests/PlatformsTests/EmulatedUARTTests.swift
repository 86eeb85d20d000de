import Foundation
import Provisioning
import Synchronization
import Testing

@testable import Platforms

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

@Suite struct EmulatedUARTTests {
    /// A board that talks for a day has its memory kept some million times.
    @Test func keepingIsNoDeeperACallEachTime() throws {
        let uart = try EmulatedUART()
        let depths = Mutex<[Int]>([])
        uart.commitBeforeSpeaking {
            depths.withLock { $0.append(Thread.callStackReturnAddresses.count) }
            return true
        }
        try uart.start()
        defer { uart.stop() }
        let port = try EmulatedBoard.open(uart.path)
        for byte in UInt8(1)...10 {
            #expect(withUnsafePointer(to: byte) { write(uart.childEnds.inputOutput, $0, 1) } == 1)
            #expect(try EmulatedBoard.read(1, from: port) == [byte])
        }
        let found = depths.withLock { $0 }
        #expect(found.count == 10 && Set(found).count == 1 && found[0] > 0, "\(found)")
    }
}
