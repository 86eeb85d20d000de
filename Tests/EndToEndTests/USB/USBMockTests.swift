import Foundation
import Testing

/// `provision` with libusb, sysfs and the device library, and the kernel between them imitated by umockdev: what the
/// guest shows in minutes, in a second.
@Suite(
    .enabled(
        if: USBDevicePrograms.hasUMockdev,
        "umockdev is not installed: Scripts/setup --test installs it"))
struct USBMockTests {
    private func enroll(
        _ arguments: String..., devices: String = "one", fault: String = "",
        within seconds: Double = 600, with executable: Executable
    ) throws -> Executable.Result {
        let platforms = Executable.packageRoot.appending(path: "Tests/USBGuest/platforms").path
        return try executable.run(
            URL(filePath: "/usr/bin/env"),
            mock(devices, fault: fault, with: executable) + [Executable.url.path, "enroll"]
                + ["--platforms", platforms, "--platform", "usb-gadget"] + arguments,
            within: seconds)
    }

    /// What `env` gets, up to the program that sees the devices.
    private func mock(
        _ devices: String = "one", fault: String, with executable: Executable
    ) throws -> [String] {
        let tests = Executable.packageRoot.appending(path: "Tests").path
        return [
            "PROVISION_NATIVE_STATE=\(executable.home.path)/device", "MOCK_FAULT=\(fault)",
            "SWIFT_BACKTRACE=enable=no",
            "umockdev-wrapper", "\(try USBDevicePrograms.folder())/usb-mock",
            "\(tests)/USBMock/\(devices).umockdev",
        ]
    }

    @Test(arguments: ["usb:SN002", "usb:1-1", "usb:1209:0002", "usb:0x1209:2:SN002", nil])
    func aBoardIsProvisioned(port: String?) throws {
        try Executable.withHome { executable in
            let result =
                if let port {
                    try enroll("--port", port, "--json", with: executable)
                } else {
                    try enroll("--json", with: executable)
                }
            try #require(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["isNewKey"] as? Bool == true)
            #expect(try executable.keys()["active"]?.count == 1)
        }
    }

    @Test(arguments: ["usb:SN009", "usb:1209:0003", "usb:1209:0002:SN009", "usb:1-2"])
    func anotherBoardIsNotTaken(port: String) throws {
        try Executable.withHome { executable in
            let result = try enroll("--port", port, "--timeout", "port=200ms", with: executable)
            result.expectError("channel-unavailable", status: 5, "SN002 at 1-1")
            #expect(result.standardError.contains("waiting 200 ms for the USB device "))
        }
    }

    @Test func ofTwoBoardsNoneIsTaken() throws {
        try Executable.withHome { executable in
            try enroll(devices: "two", with: executable)
                .expectError("channel-unavailable", status: 5, "SN002 at 1-1", "SN003 at 1-2")
            #expect(try enroll("--port", "usb:SN002", devices: "two", with: executable).status == 0)
            let chosen = try enroll("--usb-serial", "SN002", devices: "two", with: executable)
            #expect(chosen.status == 0, "\(chosen.standardError)")
            try enroll(
                "--usb-serial", "SN004", "--timeout", "port=200ms", devices: "two",
                with: executable
            ).expectError("channel-unavailable", status: 5, "SN004", "SN003")
        }
    }

    /// Each by its own device, and not by the first that looks like it.
    @Test func eachOfTwoBoardsIsReached() throws {
        try Executable.withHome { executable in
            let both = try executable.platform(
                "both",
                """
                [match]
                usb = [{ vendor = 0x1209, product = 0x0002 }]
                [flash]
                method = "gdb"
                [channel]
                kind = "usb"
                usb = { vendor = 0x1209, product = 0x0002 }
                [timeouts]
                boot-ms = 30000
                """)
            let result = try executable.run(
                URL(filePath: "/usr/bin/env"),
                mock("two", fault: "", with: executable) + [
                    Executable.url.path, "enroll", "--all", "--jobs", "1", "--json",
                ] + both)
            let boards = try #require(try result.json()["boards"] as? [[String: Any]])
            #expect(
                boards.compactMap { $0["name"] as? String } == ["both at 1-1", "both at 1-2"])
            try #require(boards.count == 2)
            // The mock answers for the first one only.
            let record = boards[0]["record"] as? [String: Any]
            #expect(record?["isNewKey"] as? Bool == true, "\(result.standardError)")
            let error = boards[1]["error"] as? [String: Any]
            let reason = try #require(error?["reason"] as? String)
            #expect(reason.hasPrefix("1209:0002") && reason.contains("SN003 at 1-2"), "\(reason)")
        }
    }

    /// Wherever it happens, what is recorded is sound, and the next run goes on.
    @Test(arguments: [0, 1, 2, 4, 6, 9]) func aBoardLeaves(packet: Int) throws {
        try Executable.withHome { executable in
            try enroll(fault: "gone:\(packet)", with: executable)
                .expectError("channel-closed", status: 5, "the device is gone")
            #expect(try executable.isRecordSound())
            #expect(try enroll(with: executable).status == 0)
            #expect(try executable.keys()["active"]?.count == 1)
        }
    }

    @Test(arguments: [0, 3, 7]) func aHaltIsClearedOnce(packet: Int) throws {
        try Executable.withHome { executable in
            let result = try enroll(fault: "stall:\(packet)", with: executable)
            #expect(result.status == 0, "\(result.standardError)")
        }
        try Executable.withHome { executable in
            try enroll(fault: "stalls:\(packet)", with: executable)
                .expectError("channel-stalled", status: 5, "endpoint 0x81")
            #expect(try executable.isRecordSound())
        }
    }

    /// The kernel's own call would wait for the device, deaf to Ctrl-C.
    @Test func aHaltThatIsNeverClearedIsGivenUp() throws {
        try Executable.withHome { executable in
            try enroll(fault: "stuck:3", within: 120, with: executable)
                .expectError("channel-stalled", status: 5, "endpoint 0x81")
            #expect(try executable.isRecordSound())
        }
    }

    /// Blocks of a stream that no packet ends are delivered none the less. The probe gives up after a minute.
    @Test(arguments: [1 << 14, 1 << 16, 600_064]) func aStreamNeedsNoEnd(length: Int) throws {
        try Executable.withHome { executable in
            let probe = Executable.url.deletingLastPathComponent().appending(path: "usb-probe")
            let result = try executable.run(
                URL(filePath: "/usr/bin/env"),
                try mock(fault: "zeros:\(length)", with: executable)
                    + [probe.path, "stream", "\(length)", "3"])
            #expect(result.status == 0, "\(result.standardError)")
        }
    }

    /// Packets without octets are no answer, and a device that speaks need not listen.
    @Test(arguments: [("empty", "device-silent"), ("deaf", "channel-unavailable")])
    func activityIsNoAnswer(fault: String, code: String) throws {
        try Executable.withHome { executable in
            try enroll(
                "--timeout", "boot=1s", "--timeout", "answer=1s", fault: fault, with: executable
            ).expectError(code, status: 5)
            #expect(try executable.isRecordSound())
        }
    }

    @Test func aClaimedInterfaceIsBusy() throws {
        try Executable.withHome { executable in
            try enroll(fault: "busy", with: executable)
                .expectError("channel-busy", status: 5, "SN002", "in use by another process")
        }
    }
}
