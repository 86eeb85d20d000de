import Foundation
import Testing

/// A debug probe's server that answers, and never comes to an end.
@Suite struct BadProbeTests {
    @Test func aServerThatSendsWithoutEnd() throws {
        try Executable.withHome { provision in
            let path = provision.home.path + "/probe"
            let server = try FloodingServer(at: path)
            let result = try provision(
                "enroll", "--platform", "microbit-qemu", "--port", "/dev/null", "--probe",
                "unix:" + path)
            server.end()
            result.expectError("probe-protocol", status: 6, path, "acknowledgements")
        }
    }

    /// Each answer comes in time, and the image takes longer than it may.
    @Test func aProbeThatIsTooSlow() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "platforms")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = Executable.packageRoot.appending(path: "platforms/microbit-qemu.toml")
            let text = try String(contentsOf: file, encoding: .utf8)
            let hurried = text.replacing("[timeouts]\n", with: "[timeouts]\nflash-ms = 1\n")
            try Data(hurried.utf8).write(to: folder.appending(path: "microbit-qemu.toml"))
            let result = try provision(
                "flash", "--platform", "microbit-qemu", "--platforms", folder.path, "--firmware",
                image)
            result.expectError("flash-failed", status: 4, "longer than 1 ms")
            #expect(result.hint?.contains("flash-ms") == true)
            // The board is let go of, and takes the image where there is time.
            let next = try provision(
                "flash", "--platform", "microbit-qemu", "--firmware", image)
            #expect(next.status == 0, "\(next.standardError)")
        }
    }
}

/// Sends acknowledgements to whoever connects, until that one hangs up.
private final class FloodingServer: Sendable {
    private let listener: Int32
    private let hasEnded = DispatchSemaphore(value: 0)

    init(at path: String) throws {
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < 108)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isListening = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                    && listen(listener, 1) == 0
            }
        }
        try #require(isListening)
        Thread.detachNewThread { [self] in
            let flood = [UInt8](repeating: UInt8(ascii: "+"), count: 1 << 16)
            let client = accept(listener, nil, nil)
            while send(client, flood, flood.count, Int32(MSG_NOSIGNAL)) > 0 {}
            close(client)
            hasEnded.signal()
        }
    }

    /// To be called once, when the run has ended.
    func end() {
        // Where nobody came, nobody comes any more.
        shutdown(listener, Int32(SHUT_RDWR))
        hasEnded.wait()
        close(listener)
    }
}
