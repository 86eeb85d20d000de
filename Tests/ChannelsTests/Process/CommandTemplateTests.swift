import Provisioning
import Testing

@testable import Channels

@Suite struct CommandTemplateTests {
    /// --probe is the GDB server's, so the serial number of a tool's probe has another name.
    @Test(arguments: [(CommandPlaceholder.probe, "--probe-serial "), (.port, "--port ")])
    func namesTheOptionOfAMissingValue(_ placeholder: CommandPlaceholder, _ option: String) throws {
        let template = try CommandTemplate(["tool", "{\(placeholder.rawValue)}"])
        let error = #expect(throws: ProvisioningError.self) { try template.filled(with: [:]) }
        #expect(error?.hint?.contains(option) == true)
    }

    @Test func fillsPlaceholders() throws {
        let template = try CommandTemplate([
            "tool", "--elf={image}", "-p", "{port}", "{{x}}", "{chip}:{probe}", "",
        ])
        #expect(template.placeholders == [.image, .port, .chip, .probe])
        let filled = try template.filled(with: [
            .image: "/tmp/a b/ü.elf", .port: "/dev/ttyACM0", .chip: "nrf52", .probe: "-1",
        ])
        #expect(
            filled == [
                "tool", "--elf=/tmp/a b/ü.elf", "-p", "/dev/ttyACM0", "{x}", "nrf52:-1", "",
            ])
    }

    @Test(arguments: [
        ("{imgae}", "{image}"), ("{prot}", "{port}"), ("{IMAGE}", "{"), ("{}", "{"),
    ])
    func namesTheNearest(_ argument: String, _ nearest: String) {
        let error = expectError(.platformInvalid) { () throws(ProvisioningError) in
            try CommandTemplate(["tool", argument])
        }
        #expect(error?.reason.contains(argument) == true)
        #expect(error?.hint?.contains(nearest) == true)
    }

    @Test func refusesWhatIsNotAllowedHere() {
        expectError(.platformInvalid) { () throws(ProvisioningError) in
            try CommandTemplate(["tool", "{port}"], allowing: [.image])
        }
    }

    @Test(arguments: [["tool", "{image"], ["tool", "image}"], [], [""]])
    func refusesMalformed(_ arguments: [String]) {
        expectError(.platformInvalid) { () throws(ProvisioningError) in
            try CommandTemplate(arguments)
        }
    }

    @Test(arguments: [
        ("{image}", "-rf"), ("{image}", ""), ("{image}", "a\nb"), ("{image}", "a\0b"),
        ("--x={image}", "a\u{1b}b"), ("program {image} verify", "a b"),
        ("program {image} verify", "a;exit"), ("program {image} verify", "a[exec ls]"),
        ("program {image} verify", "$a"), ("program {image} verify", "a}b"),
    ])
    func refusesValuesThatTheToolWouldReinterpret(_ argument: String, _ value: String) throws {
        let template = try CommandTemplate(["tool", argument])
        expectError(.usage) { () throws(ProvisioningError) in
            try template.filled(with: [.image: value])
        }
    }

    @Test func namesAMissingValue() throws {
        let template = try CommandTemplate(["tool", "{port}"])
        let error = expectError(.usage) { () throws(ProvisioningError) in
            try template.filled(with: [.image: "x"])
        }
        #expect(error?.reason.contains("{port}") == true)
    }
}
