import Foundation
import Testing

/// What can't be done from the first is refused before anything is made: a run that was mistyped leaves no
/// authority behind, and no registry.
@Suite struct RefusedRunTests {
    private static let nowhere = "/dev/ttyNONE7"

    /// The options, the error's code, and what it names.
    private static let enrollments: [([String], String, String)] = [
        (["--platform", "native", "--port", nowhere], "channel-unavailable", nowhere),
        (["--platform", "native", "--port", "/etc/passwd"], "channel-unavailable", "but a file"),
        (["--platform", "native"], "channel-unavailable", "no board of native is running here"),
        (["--platform", "native", "--log", nowhere], "channel-unavailable", nowhere),
        (["--platform", "native", "--port", "usb:SN404"], "channel-unavailable", "SN404"),
        (["--platform", "microbit", "--channel", "rtt"], "probe-unavailable", "none is named"),
        (["--platform", "nrf52840dk", "--port", "openocd:"], "usage", "openocd:"),
        (["--board", "native@\(nowhere)"], "channel-unavailable", nowhere),
        (
            ["--board", "native@\(nowhere)", "--board", "native@\(nowhere)2"],
            "channel-unavailable", nowhere
        ),
    ]

    @Test(arguments: enrollments)
    func nothingIsEnrolled(options: [String], code: String, value: String) throws {
        try expectNothingMade(["enroll"] + options, code, value)
    }

    @Test func nothingIsAttached() throws {
        for (options, code, value) in Self.enrollments
        where options[0] == "--platform" && !options.contains("--log") {
            try expectNothingMade(["attach"] + options, code, value)
        }
    }

    @Test(arguments: ["run", "flash"]) func nothingIsFlashed(command: String) throws {
        let image = ["--firmware", try Firmware.native()]
        try expectNothingMade(
            [command, "--platform", "native", "--firmware", "/nowhere/image"], "image-invalid",
            "/nowhere/image")
        try expectNothingMade(
            [command, "--platform", "native", "--no-build", "--package-path", "/etc"],
            "image-invalid", "/etc/")
        try expectNothingMade(
            [command, "--platform", "native", "--package-path", "/nowhere"], "usage",
            "/nowhere")
        try expectNothingMade(
            [command, "--platform", "microbit-qemu", "--port", "/dev/null"] + image,
            "probe-unavailable", "none is named")
        try expectNothingMade(
            [command, "--platform", "microbit", "--port", "/dev/null"] + image, "usage", "{usb}")
        try expectNothingMade(
            [command, "--board", "native", "--board", "microbit-qemu"] + image, "usage",
            "microbit and native")
    }

    @Test func nothingIsRun() throws {
        let image = ["--firmware", try Firmware.native()]
        try expectNothingMade(
            ["run", "--platform", "native", "--log", "channel", "--credentials", "cwt"] + image,
            "usage", "only reports")
        try expectNothingMade(
            ["run", "--platform", "native", "--port", "/etc/passwd"] + image,
            "channel-unavailable", "but a file")
    }

    /// One that is there is provisioned beside one that is not.
    @Test func oneThatIsMissingStopsNoOther() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let result = try provision(
                "enroll", "--json", "--board", "native@\(Self.nowhere)", "--board",
                "native@\(board.port)")
            #expect(result.status == 5, "\(result.standardError)")
            #expect(try result.json()["succeeded"] as? Int == 1)
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    private func expectNothingMade(
        _ arguments: [String], _ code: String, _ value: String,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, arguments)
            #expect(
                result.errorCode == code, "\(arguments): \(result.standardError)",
                sourceLocation: location)
            #expect(
                result.standardError.contains(value), "\(arguments): \(result.standardError)",
                sourceLocation: location)
            let made = try FileManager.default.contentsOfDirectory(atPath: provision.home.path)
            #expect(made == [], "\(arguments)", sourceLocation: location)
        }
    }
}
