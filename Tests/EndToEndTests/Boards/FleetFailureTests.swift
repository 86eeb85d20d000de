import Foundation
import Testing

/// Many boards side by side: no one's failure is another's, and a run that is ended ends all.
@Suite struct FleetFailureTests {
    /// How a board can be broken, the command that plays it, and what is said of it.
    @Test(
        arguments: [
            ("silent", #"["/bin/sh", "-c", "sleep 600", "{image}"]"#, "device-silent", 5),
            ("deaf to the protocol", #"["/bin/sh", "-c", "yes", "{image}"]"#, "no-answer", 5),
            ("ended at once", #"["/bin/false", "{image}"]"#, "emulator-failed", 5),
            ("an echo", #"["/bin/cat", "-", "{image}"]"#, nil, nil),
        ] as [(String, String, String?, Int32?)])
    func oneThatIsBrokenStopsNoOther(
        kind: String, command: String, code: String?, status: Int32?
    ) throws {
        _ = try Firmware.native()
        try Executable.withHome { provision in
            let folder = try Self.platform("broken", command, bootMilliseconds: 2000, provision)
            var boards = (1...15).map { "native:native-\($0)" }
            boards.insert("broken:broken", at: 7)
            let report = provision.home.appending(path: "report.json")
            let result = try provision.run(
                Executable.url,
                ["run", "--platforms", folder, "--report", report.path] + Fleet.image
                    + Fleet.options(boards))
            #expect(result.errorCode != nil && result.status != 0, "\(result.standardError)")
            if let code { #expect(result.errorCode == code, "\(result.standardError)") }
            if let status { #expect(result.status == status) }
            #expect(
                result.standardError.contains("1 of 16 boards failed, broken first:"),
                "\(result.standardError)")
            #expect(result.text.contains("15 of 16 boards done"))
            let line = try #require(
                result.text.split(separator: "\n").first { $0.hasPrefix("broken") })
            #expect(line.contains("error[\(result.errorCode ?? "")]"))

            let document = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            let entries = try #require(
                (document as? [String: Any])?["boards"] as? [[String: Any]])
            #expect(entries.count == 16)
            for entry in entries {
                let isBroken = entry["name"] as? String == "broken"
                #expect((entry["record"] == nil) == isBroken)
                #expect((entry["error"] != nil) == isBroken)
            }
            let error = entries[7]["error"] as? [String: Any]
            #expect(error?["code"] as? String == result.errorCode)
            #expect(try provision.keys()["active"]?.count == 15)
            #expect(try provision("registry", "verify").status == 0)
            #expect(Leftovers(of: provision).processes() == [])
        }
    }

    /// One waits, so that the run is in the middle for sure; where the others are is left to chance.
    @Test(
        .disabled(
            if: Executable.sanitizer == "thread",
            "it keeps a signal from a thread that waits in libdispatch, as main does here"),
        arguments: ["native-1  flash", "native-5  evidence", "native-15  confirm"])
    func ctrlCEndsAll(moment: String) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = try Self.platform(
                "waiting", #"["/bin/sh", "-c", "sleep 600", "{image}"]"#, bootMilliseconds: 600_000,
                provision)
            let boards = (1...15).map { "native:native-\($0)" } + ["waiting:waiting"]
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                ["run", "--platforms", folder, "--json", "--package-path", Firmware.package.path]
                    + ["--no-build"] + Fleet.options(boards))
            // Names are padded to the longest.
            let words = moment.split(separator: " ")
            let line = String(words[0]).padding(toLength: 9, withPad: " ", startingAt: 0)
            #expect(run.says("\(line)  \(words[1])"), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("error[interrupted]"))
            #expect(leftovers.processes() == [])
            let entries = try #require(try run.json()["boards"] as? [[String: Any]])
            #expect(entries.count == 16)
            let codes = entries.compactMap { ($0["error"] as? [String: Any])?["code"] as? String }
            #expect(Set(codes) == ["interrupted"])
            #expect(try provision.isRecordSound())

            let next = try provision(
                "run", "--all", "--platform", "native", "--instances", "15", "--firmware", image)
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try provision("registry", "verify").status == 0)
            // Who was interrupted made no second key.
            let keys = try provision.keys()
            #expect(keys["active"]?.count == 15 && keys["revoked"] == nil, "\(keys)")
        }
    }

    /// Kill -9 in the middle, too.
    @Test func aKilledRunLeavesNothingBehind() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let leftovers = Leftovers(of: provision)
            let arguments = [
                "run", "--all", "--platform", "native", "--instances", "16", "--firmware", image,
            ]
            let run = try BackgroundRun(provision, arguments)
            #expect(run.says("register"), "\(run.errorOutput)")
            kill(run.processID, SIGKILL)
            // It may have been quicker.
            #expect([0, 128 + SIGKILL].contains(run.wait()))
            #expect(leftovers.processes() == [])
            #expect(try provision.isRecordSound())
            let next = try provision.run(Executable.url, arguments)
            #expect(next.status == 0, "\(next.standardError)")
            let keys = try provision.keys()
            #expect(keys["active"]?.count == 16 && keys["revoked"] == nil, "\(keys)")
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// A board that `command` plays, which does not do what it should.
    ///
    /// - Returns: where its platform file is.
    static func platform(
        _ name: String, _ command: String, bootMilliseconds: Int, _ provision: Executable
    ) throws -> String {
        try provision.platform(
            name,
            """
            [build]
            command = ["/bin/true"]
            image = "/bin/true"

            [flash]
            method = "none"

            [channel]
            kind = "uart"

            [emulator]
            kind = "process"
            command = \(command)

            [timeouts]
            boot-ms = \(bootMilliseconds)
            answer-ms = 1000
            signature-ms = 1500
            """)
        return provision.home.path
    }
}
