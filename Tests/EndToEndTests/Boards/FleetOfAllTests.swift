import Foundation
import Testing

/// All boards of one kind, and with them some of other kinds: `--all` and `--board` at once.
@Suite struct FleetOfAllTests {
    private static let others =
        (1...3).map { "microbit-qemu:microbit-\($0)" }
        + (1...2).map { "microbit-qemu-rtt:rtt-\($0)" }
        + (1...3).map { "mps2-an386-qemu:mps2-\($0)" }
    /// Sixteen, and one that is silent between them.
    private static let names =
        (1...8).map { "native-\($0)" } + others.map(instance) + ["broken"]

    private static func instance(of board: String) -> String {
        board.split(separator: ":").last.map(String.init) ?? ""
    }

    @Test func sixteenOfFourKindsAndOneThatIsBroken() throws {
        let image = try Firmware.native()
        _ = (try Firmware.microbit(), try Firmware.mps2())
        try Executable.withHome { provision in
            let folder = try FleetFailureTests.platform(
                "broken", #"["/bin/sh", "-c", "sleep 600", "{image}"]"#, bootMilliseconds: 2000,
                provision)
            let report = provision.home.appending(path: "report.json")
            let run =
                ["run", "--platforms", folder, "--all", "--platform", "native", "--instances", "8"]
                + Fleet.image + Fleet.options(Self.others + ["broken:broken"])
            let result = try provision.run(Executable.url, run + ["--report", report.path])
            result.expectError("device-silent", status: 5, "1 of 17 boards failed, broken first:")
            #expect(result.text.contains("16 of 17 boards done"), "\(result.text)")
            // One line for each.
            for name in Self.names {
                let lines = result.text.split(separator: "\n").filter {
                    $0.split(separator: " ").first.map(String.init) == name
                }
                #expect(lines.count == 1, "\(name): \(lines)")
                #expect(lines.first?.contains("error[device-silent]") == (name == "broken"))
            }
            let document = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            let entries = try #require((document as? [String: Any])?["boards"] as? [[String: Any]])
            #expect(entries.map { $0["name"] as? String } == Self.names)
            #expect(entries.filter { $0["error"] != nil }.count == 1)
            let records = entries.compactMap { $0["record"] as? [String: Any] }
            #expect(Set(records.compactMap { $0["device"] as? String }).count == 16)
            #expect(Set(records.compactMap { $0["thumbprint"] as? String }).count == 16)
            #expect(try provision.keys()["active"]?.count == 16)
            #expect(try provision("registry", "verify").status == 0)
            #expect(Leftovers(of: provision).processes() == [])

            // What each board has, by its own word: none has another's.
            let boards = (1...8).map { "native:native-\($0)" } + Self.others
            let stored = try boards.map { board in
                // The same board, whose firmware answers on its UART too.
                let platform = String(board.prefix { $0 != ":" }).replacing("-rtt", with: "")
                let firmware = platform == "native" ? ["--firmware", image] : []
                let running = try EmulatedBoard(
                    provision, [platform, "--instance", Self.instance(of: board)] + firmware)
                defer { #expect(running.interrupt() == 0) }
                return try StoredCredentials(port: running.port)
            }
            #expect(stored.map(\.device) == records.compactMap { $0["device"] as? String })
            for board in stored { board.expectToBeItsOwn(among: stored) }
        }
    }
}
