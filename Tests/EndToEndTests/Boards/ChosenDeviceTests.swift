import BadLine
import Foundation
import Testing

/// `--device`: no other board is flashed or attached to.
@Suite struct ChosenDeviceTests {
    /// A device on a line, and a platform whose flash tool leaves a mark.
    private struct Desk {
        let provision: Executable
        let device: NativeDevice
        let image: String
        /// Arguments that name the platform.
        private let platform: [String]

        private var mark: URL { provision.home.appending(path: "flashed") }
        var isFlashed: Bool { FileManager.default.fileExists(atPath: mark.path) }

        init(_ provision: Executable, id: String?) throws {
            self.provision = provision
            image = try Firmware.native()
            device = try NativeDevice(image, in: provision.home.appending(path: "device"))
            let identify =
                id.map {
                    """
                    [identify]
                    command = ["/bin/sh", "-c", "echo \($0)", "{probe}"]
                    format = "hex"
                    """
                } ?? ""
            platform = try provision.platform(
                "mine",
                """
                [flash]
                method = "command"
                command = ["touch", "\(provision.home.path)/flashed", "{image}"]
                erase-command = ["true"]
                \(identify)
                [channel]
                kind = "uart"
                """)
        }

        func callAsFunction(_ command: String, _ more: String...) throws -> Executable.Result {
            let firmware = command == "attach" ? [] : ["--firmware", image]
            return try provision.run(
                Executable.url,
                [command, "--port", device.line.port, "--probe-serial", "p1"] + platform
                    + firmware + more, input: "")
        }
    }

    private func at(_ id: String?, _ body: (Desk) throws -> Void) throws {
        try Executable.withHome { provision in
            let desk = try Desk(provision, id: id)
            defer { desk.device.stop() }
            try body(desk)
        }
    }

    @Test func onlyTheOneThatIsAskedForIsFlashed() throws {
        try at("0a0b") { desk in
            try desk("flash", "--device", "0a0c")
                .expectError("id-mismatch", status: 7, "0a0c", "0a0b")
            #expect(!desk.isFlashed)
            let right = try desk("flash", "--device", "0a0b")
            #expect(right.status == 0, "\(right.standardError)")
            #expect(desk.isFlashed)
        }
    }

    @Test func onlyTheOneThatIsAskedForIsAttached() throws {
        try at("0a0b") { desk in
            let wrong = try desk("attach", "--device", "0a0c")
            wrong.expectError("id-mismatch", status: 7, "0a0c", "0a0b")
            #expect(!wrong.standardError.contains("attached to"))
        }
    }

    /// What nobody can compare is not said for nothing.
    @Test(arguments: ["flash", "attach"]) func nobodyReadsTheID(command: String) throws {
        try at(nil) { desk in
            let result = try desk(command, "--device", "0a0c")
            result.expectError("usage", status: 2, "--device 0a0c", "ID of a mine")
            #expect(result.hint?.contains("--port") == true)
            #expect(!desk.isFlashed && !result.standardError.contains("attached to"))
        }
    }

    /// The firmware's word comes after flashing: the user is told, and no key is erased for it.
    @Test func aRunComparesAfterwards() throws {
        try at(nil) { desk in
            let erasing = try desk("run", "--device", "0a0c", "--erase", "--detach")
            erasing.expectError("usage", status: 2, "--device 0a0c", "keys would be erased")
            #expect(!desk.isFlashed)
            let run = try desk("run", "--device", "0a0c", "--detach")
            run.expectError("id-mismatch", status: 7, "0a0c")
            #expect(desk.isFlashed)
            let text = run.standardError
            let remark = try #require(text.range(of: "before it is flashed; it is compared once"))
            let flash = try #require(text.range(of: "flash   "))
            #expect(remark.lowerBound < flash.lowerBound)
        }
    }
}
