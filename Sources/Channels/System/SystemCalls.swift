import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// Members named `read`, `write` and `close` hide the system's.
func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

func writeBytes(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}

func connectDescriptor(
    _ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t
) -> Int32 {
    connect(descriptor, address, size)
}

func listenDescriptor(_ descriptor: Int32) -> Int32 { listen(descriptor, 8) }

func acceptDescriptor(_ listener: Int32) -> Int32 { accept(listener, nil, nil) }

#if canImport(Darwin)
    let streamSocketType = SOCK_STREAM
    let datagramSocketType = SOCK_DGRAM
#else
    let streamSocketType = Int32(SOCK_STREAM.rawValue)
    let datagramSocketType = Int32(SOCK_DGRAM.rawValue)
#endif

func freeMemory(_ pointer: UnsafeMutableRawPointer?) { free(pointer) }
