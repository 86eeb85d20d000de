import Channels
import Foundation
import PlatformAdapter
import Provisioning
import Testing

@testable import Platforms

/// Platforms with an adapter: by a file, or by what the adapter says of itself.
@Suite struct AdapterPlatformTests {
    private func file(_ tables: String) throws -> Platform {
        let text = """
            name = "mine"
            description = "a board of my own"
            board = "teapot"

            \(tables)
            """
        return try Platform(
            parsing: Array(text.utf8), name: "mine", file: "/home/you/platforms/mine.toml")
    }

    @Test func anAdapterIsEnough() throws {
        let platform = try file("[adapter]\nname = \"teapot\"")
        #expect(platform.adapter?.name == "teapot")
        #expect(platform.adapter?.folder == "/home/you/platforms")
        #expect(platform.flash == .adapter)
        #expect(platform.channel.kind == .adapter)
    }

    /// The flash tool is a tool, and the channel the adapter's; or the other way round.
    @Test func aPartOfTheBoardIsEnough() throws {
        let carried = try file(
            """
            [adapter]
            name = "teapot"
            [flash]
            method = "command"
            command = ["tool", "{image}"]
            [channel]
            framing = "raw"
            group = 100
            """)
        #expect(carried.channel.kind == .adapter)
        #expect(carried.channel.framing == .raw && carried.channel.group == 100)
        #expect(carried.flash != .adapter)
        let flashed = try file("[adapter]\nname = \"teapot\"\n[channel]\nkind = \"uart\"")
        #expect(flashed.flash == .adapter && flashed.channel.kind == .uart)
    }

    @Test(arguments: [
        ("[adapter]", "missing \"name\""), ("[adapter]\nname = \"../x\"", "is not [a-z0-9-]+"),
        ("[adapter]\nname = \"x\"\npath = \"/bin/x\"", "unknown key \"path\""),
        ("adapter = \"x\"", "not a table"),
        ("[flash]\nmethod = \"adapter\"\n[channel]\nkind = \"uart\"", "there is no [adapter]"),
        (
            "[flash]\nmethod = \"command\"\ncommand = [\"x\", \"{image}\"]\n"
                + "[channel]\nkind = \"adapter\"", "there is no [adapter]"
        ),
        (
            "[adapter]\nname = \"x\"\n[flash]\nmethod = \"command\"\ncommand = [\"x\", \"{image}\"]\n"
                + "[channel]\nkind = \"uart\"", "neither"
        ),
        ("[adapter]\nname = \"x\"\n[flash]\nmethod = \"adapter\"\nmonitor = true", "\"monitor\""),
        ("[adapter]\nname = \"x\"\n[emulator]\nkind = \"process\"", "emulator"),
    ])
    func whatContradictsIsRefused(_ tables: String, _ reason: String) {
        let error = #expect(throws: ProvisioningError.self) { try file(tables) }
        #expect(error?.code == .platformInvalid)
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
        #expect(error?.reason.hasPrefix("/home/you/platforms/mine.toml") == true)
    }

    private func described(_ json: String) throws -> Platform {
        let line = "{\"id\":1,\"ok\":true,\"platform\":\(json)}"
        return try Platform(
            AdapterMessage(parsing: Array(line.utf8)).platform,
            of: AdapterProgram(path: "/opt/provision-platform-teapot"))
    }

    @Test func anAdapterDescribesItself() throws {
        let platform = try described(
            #"""
            {"description":"A \"teapot\" \\ é \u0041","board":"teapot","chip":"TP1",
             "credentials":{"types":["cwt"],"validity-days":30},"timeouts":{"boot-ms":1234},
             "channel":{"framing":"raw","baud":[115200,9600]}}
            """#.replacing("\n", with: ""))
        #expect(platform.name == "teapot")
        #expect(platform.description == "A \"teapot\" \\ é A")
        #expect(platform.credentials.types == [.cwt] && platform.credentials.validityDays == 30)
        #expect(platform.timeouts.boot == .milliseconds(1234))
        #expect(platform.channel.baudRates == [115_200, 9600])
        #expect(try platform.adapter?.find().path == "/opt/provision-platform-teapot")
    }

    @Test(arguments: [
        ("null", "does not describe"), ("[]", "does not describe"),
        ("{}", "missing \"description\""),
        (#"{"description":"x","board":"x","bord":1}"#, "unknown key \"bord\""),
        (#"{"description":"x","board":1}"#, "\"board\" is an integer"),
        (#"{"description":"x","board":null}"#, "null"),
        (#"{"description":"x","board":"x","timeouts":{"boot-ms":1.5}}"#, ": 1.5 is no whole"),
        (
            #"{"description":"x","board":"x","timeouts":{"boot-ms":1000000000000000000000000000000}}"#,
            ": 1e+30 is no whole number of 64 bits"
        ),
        (
            #"{"description":"x","board":"x","name":"other"}"#,
            "\"name\" is \"other\", the program's name is \"teapot\""
        ),
        (#"{"description":"x","board":"x","adapter":{"name":"y"}}"#, "has no \"adapter\""),
        (#"{"description":"x\ny","board":"x"}"#, "not one line"),
        (#"{"description":"x","board":"x","a\"] = 1\n[b":1}"#, "unknown key"),
    ])
    func aWrongDescriptionIsRefused(_ json: String, _ reason: String) {
        let error = #expect(throws: ProvisioningError.self) { try described(json) }
        #expect(error?.code == .platformInvalid)
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
        // Without a line: there is none where that stands.
        #expect(error?.reason.hasPrefix("/opt/provision-platform-teapot") == true)
        #expect(error?.reason.contains(/teapot:\d/) == false)
        #expect(error?.hint?.contains("the file") != true)
    }
}
