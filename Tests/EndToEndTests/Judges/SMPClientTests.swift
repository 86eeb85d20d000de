import Foundation
import Testing

/// PyPI's smpclient talks to the firmware: the OS group and all of group 8392, and what it fetched
/// is judged in turn. See Judges/smp_client.py.
@Suite struct SMPClientTests {
    @Test func talksToAProcess() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { #expect(board.interrupt() == 0) }
            try converse(with: board, of: "native", provision)
        }
    }

    @Test func talksToAMicrobit() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            defer { #expect(board.interrupt() == 0) }
            let flash = try provision(
                "flash", "--platform", "microbit-qemu", "--firmware", image, "--port", board.port,
                "--probe", try #require(board.probe))
            try #require(flash.status == 0, "\(flash.standardError)")
            try converse(with: board, of: "microbit", provision)
        }
    }

    /// Without the console framing, on a line.
    @Test func talksOnARawLine() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["raw"],
                in: provision.home.appending(path: "device"))
            defer { device.stop() }
            try converse(on: "raw:\(device.line.port)", of: "native", provision)
        }
    }

    @Test func talksInDatagrams() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            try converse(on: "udp:127.0.0.1:\(device.port)", of: "native", provision)
        }
    }

    private func converse(
        with board: EmulatedBoard, of name: String, _ provision: Executable
    ) throws {
        try converse(on: board.port, of: name, provision)
    }

    private func converse(on port: String, of name: String, _ provision: Executable) throws {
        let found = try judge(
            provision, environment: "judges-smp", "smp_client.py", port, provision.home.path)
        #expect(found["board"] as? String == name)
        let device = try #require(found["device"] as? String)
        let publicKey = try #require(found["publicKey"] as? String)
        #expect(try #require(found["requests"] as? Int) > 100)

        let evidence = try judge(
            provision, environment: "judges", "verify.py", "evidence",
            provision.home.path + "/evidence.cbor")
        #expect(evidence["nonce"] as? String == found["nonce"] as? String)
        #expect(evidence["device"] as? String == device)
        #expect(evidence["board"] as? String == name)
        #expect(evidence["publicKey"] as? String == publicKey)
        #expect(evidence["stored"] as? [Int] == [1, 2])

        let request = try provision.run(
            URL(filePath: "/usr/bin/openssl"),
            [
                "req", "-inform", "der", "-in", provision.home.path + "/request.der", "-verify",
                "-noout", "-subject", "-text",
            ])
        #expect(request.standardError.contains("verify OK"), "\(request.standardError)")
        #expect(request.text.contains("CN = \(device)"))
        let digits = request.text.filter { !$0.isWhitespace && $0 != ":" }
        #expect(digits.contains("pub" + publicKey))
    }

    private func judge(
        _ provision: Executable, environment: String, _ script: String, _ arguments: String...
    ) throws -> [String: Any] {
        let root = Executable.packageRoot
        let python = root.appending(path: ".build/\(environment)/bin/python")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "the judges are not installed: run Scripts/setup --test")
        let path = root.appending(path: "Tests/Judges/\(script)").path
        // -B: no compiled copies beside the sources.
        let result = try provision.run(python, ["-B", path] + arguments)
        try #require(result.status == 0, "\(result.standardError)")
        return try result.json()
    }
}
