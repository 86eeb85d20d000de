import Provisioning
import Testing

@testable import Channels

/// What tools print of a chip's memory, and what they must not print.
@Suite struct DeviceIDFormatTests {
    /// 0x10000060 and the word behind it.
    private static let region = AddressRange(address: 0x1000_0060, length: 8)
    private static let bytes: [UInt8] = [0xF3, 0x76, 0x55, 0x99, 0x13, 0x86, 0x03, 0x88]

    private static let dumps: [(DeviceIDFormat, String)] = [
        (.probeRS, "995576f3 88038613 "),
        (.pyOCD, "10000060:  995576f3 88038613    |.Uv.....|"),
        (.openOCD, "0x10000060: 995576f3 88038613 "),
        (.jLink, "10000060 = 995576F3 88038613 "),
    ]

    private func memory(_ format: DeviceIDFormat, _ lines: [String]) throws -> [UInt8]? {
        format.memory(in: lines, of: try #require(Self.region))
    }

    @Test(arguments: dumps) func words(_ dump: (DeviceIDFormat, String)) throws {
        let chatter = ["Connecting...", "", "0003012 I Target type is nrf52 [cmd]"]
        #expect(try memory(dump.0, [dump.1]) == Self.bytes)
        #expect(try memory(dump.0, chatter + [dump.1] + chatter) == Self.bytes)
    }

    /// Twice is as bad as not at all, and so is more, or less.
    @Test(arguments: dumps) func refusesWhatIsNotExactlyThat(
        _ dump: (DeviceIDFormat, String)
    ) throws {
        #expect(try memory(dump.0, []) == nil)
        #expect(try memory(dump.0, [dump.1, dump.1]) == nil)
        #expect(try memory(dump.0, [dump.1.replacing("88038613", with: "")]) == nil)
        #expect(try memory(dump.0, [dump.1.replacing("88038613", with: "88038613 0")]) == nil)
        #expect(try memory(dump.0, [dump.1.replacing("88038613", with: "8803861g")]) == nil)
        #expect(try memory(dump.0, [dump.1.replacing("88038613", with: "+8038613")]) == nil)
        guard dump.0 != .probeRS else { return }
        #expect(try memory(dump.0, [dump.1.replacing("60", with: "64")]) == nil)
    }

    /// A character that differs is another value, or none.
    @Test(arguments: dumps) func noCharacterIsIgnored(_ dump: (DeviceIDFormat, String)) throws {
        let text = Array(dump.1.lowercased().prefix { $0 != "|" })
        for index in text.indices where text[index] != " " {
            for character: Character in ["0", "f", "x", " ", ":", "=", "\u{0}"] {
                guard character != text[index] else { continue }
                var line = text
                line[index] = character
                #expect(try memory(dump.0, [String(line)]) != Self.bytes, "\(String(line))")
            }
        }
    }

    @Test func severalLines() throws {
        let region = try #require(AddressRange(address: 0x0080_A000, length: 24))
        let lines = [
            "0080A000 = 00000000 00000001 00000002 00000003", "0080A010 = 00000004 00000005 ",
        ]
        let bytes: [UInt8] = (UInt8(0)..<6).reduce(into: []) { $0 += [$1, 0, 0, 0] }
        #expect(DeviceIDFormat.jLink.memory(in: lines, of: region) == bytes)
        #expect(DeviceIDFormat.jLink.memory(in: lines.reversed(), of: region) == nil)
    }

    private static let mac: [UInt8] = [0x7C, 0xDF, 0xA1, 0x00, 0x11, 0x22]

    @Test func addresses() {
        let esptool = DeviceIDFormat.esptoolMAC
        #expect(esptool.id(in: ["MAC: 7c:df:a1:00:11:22"]) == Self.mac)
        // Version 4 says it twice.
        #expect(
            esptool.id(in: ["MAC: 7c:df:a1:00:11:22", "x", "MAC: 7C:DF:A1:00:11:22"]) == Self.mac)
        #expect(
            esptool.id(in: [
                "MAC:                7c:df:a1:ff:fe:00:11:22",
                "BASE MAC:           7c:df:a1:00:11:22", "MAC_EXT:            ff:fe",
            ]) == Self.mac)
        #expect(esptool.id(in: ["MAC: 7c:df:a1:00:11:22", "MAC: 7c:df:a1:00:11:23"]) == nil)
        for bad in [
            "", "7c:df:a1:00:11:22", "MAC: 7c:df:a1:00:11", "MAC: 7c:df:a1:00:11:2",
            "MAC: 7cdfa1001122",
        ] {
            #expect(esptool.id(in: [bad]) == nil, "\(bad)")
        }
        let espflash = DeviceIDFormat.espflashMAC
        #expect(
            espflash.id(in: ["Chip type: esp32c3", "MAC address:       7c:df:a1:00:11:22"])
                == Self.mac)
        #expect(espflash.id(in: ["MAC: 7c:df:a1:00:11:22"]) == nil)
    }

    @Test func hexadecimal() {
        let format = DeviceIDFormat.hexadecimal
        #expect(format.id(in: ["7C:DF:A1-00 1122"]) == Self.mac)
        #expect(format.id(in: ["", " 7cdf a1001122\t", ""]) == Self.mac)
        // Of two lines, nobody knows which is the ID.
        #expect(format.id(in: ["7cdf", "a1001122"]) == nil)
        #expect(format.id(in: ["7cdfa1001122", "7cdfa1001122"]) == nil)
        for bad in ["", "7", "0x7c", "id: 7c", String(repeating: "00", count: 65)] {
            #expect(format.id(in: [bad]) == nil, "\(bad)")
        }
    }
}
