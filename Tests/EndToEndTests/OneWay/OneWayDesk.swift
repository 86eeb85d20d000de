import Foundation
import Testing

/// A desk with boards that only print, and with the logs that they left.
struct OneWayDesk {
    let provision: Executable

    /// What the real firmware prints in one boot, with its report.
    ///
    /// - Parameters:
    ///   - name: of the device: each has its own ID and key.
    ///   - erasing: whether its key is new.
    func bootLog(_ name: String = "device", erasing: Bool = false) throws -> String {
        var command = [
            "PROVISION_NATIVE_REPORT=1",
            "PROVISION_NATIVE_STATE=\(provision.home.path)/\(name)",
        ]
        if erasing { command.append("PROVISION_NATIVE_ERASE=1") }
        let result = try provision.run(
            URL(filePath: "/usr/bin/env"), command + [try Firmware.native()])
        try #require(result.status == 0, "\(result.standardError)")
        try #require(result.text.contains("PROVISION-EVIDENCE-1 "))
        return result.text
    }

    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        let url = provision.home.appending(path: name)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    /// Arguments that name a platform of the test's own.
    func platform(_ name: String, _ rest: String) throws -> [String] {
        try provision.platform(name, rest)
    }

    /// One that `command` plays, an array of TOML, and that prints a report when it starts.
    func started(_ name: String, by command: String) throws -> [String] {
        try platform(
            name,
            """
            [flash]
            method = "none"
            [channel]
            kind = "uart"
            [report]
            formats = ["provision"]
            [emulator]
            kind = "process"
            command = \(command)
            [timeouts]
            boot-ms = 60000
            """)
    }

    /// One whose flash command prints a log, and goes on as `script` does: `$1` is the image.
    func monitored(_ script: String, terminal: Bool = false) throws -> [String] {
        try platform(
            "monitored",
            """
            [flash]
            method = "command"
            command = ["/bin/sh", "-c", '''\(script)''', "tool", "{image}"]
            monitor = true
            monitor-terminal = \(terminal)
            [report]
            from = "flasher"
            """)
    }

    /// The firmware as a process that prints its report; `variables` are set for it.
    func reporting(_ variables: String...) throws -> [String] {
        let command = ["/usr/bin/env", "PROVISION_NATIVE_REPORT=1"] + variables + ["{image}"]
        return try started("reporting", by: "\(command)")
    }

    func run(_ arguments: [String], input: String? = nil) throws -> Executable.Result {
        try provision.run(Executable.url, arguments, input: input)
    }

    func json(_ arguments: [String], input: String? = nil) throws -> [String: Any] {
        let result = try run(arguments + ["--json"], input: input)
        try #require(result.status == 0, "\(result.standardError)")
        return try result.json()
    }

    static func with(_ body: (OneWayDesk) throws -> Void) throws {
        try Executable.withHome { try body(OneWayDesk(provision: $0)) }
    }
}

/// Lines of Ariel OS; the first one is its documentation's, the second one made in the form of its
/// pull request 453.
enum ArielLog {
    static let x = "b9943adbc95be73fd6db7b700a2f9b20b311ed0691317cb418da61e14e03db07"
    static let identity =
        "[INFO ] CoAP server identity: {8:{1:{1:2, 2:h'', -1:1, -2:h'\(x)'}}}\n"

    /// In diagnostic notation, under a key ID.
    static func claims(_ keyID: String) -> String {
        "{2: \"me\", 8: {1: {1: 2, 2: h'\(keyID)', -1: 1, -2: h'\(x)'}}}"
    }

    static func provisioned(board: String, id: [UInt8], x: String = x) -> String {
        let octets = stride(from: 0, to: 64, by: 2).map { index in
            UInt8(x.dropFirst(index).prefix(2), radix: 16) ?? 0
        }
        let claims = [161, 8, 161, 1, 164, 1, 2, 2, 64, 32, 1, 33, 88, 32] + octets
        return "\u{1b}[32mINFO\u{1b}[0m Device provisioned: board=\(board)\tdevice_id=\(id)\t"
            + "edhoc_kccs=\(claims)\n└─ ariel_os_coap::stored @ stored.rs:88\n"
    }
}
