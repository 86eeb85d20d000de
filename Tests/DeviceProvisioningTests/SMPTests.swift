import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Testing

/// There is one board in a process: all suites of this target are parts of this one.
@Suite(.serialized)
struct DeviceTests {}

extension DeviceTests {
    /// Against requests and answers that were recorded with Zephyr 4.4 and the `smp` package.
    @Suite struct SMPTests {
        struct Exchange: Sendable, CustomTestStringConvertible {
            let name: String
            /// What the host sends, in hexadecimal.
            let frame: String
            /// The message that a Zephyr server answered, decoded; nil for silence.
            let answer: String?
            var testDescription: String { name }
        }

        static let exchanges = [
            Exchange(
                name: "echo, version 2",
                frame: "06094142414b4141414741414148414b46685a474a6f6153566b0a",
                answer: "0b00000700000700bf6172626869ff"),
            Exchange(
                name: "echo, version 1",
                frame: "0609414241434141414741414149414b46685a474a6f6152664e0a",
                answer: "0300000700000800bf6172626869ff"),
            Exchange(
                name: "unknown group, version 2",
                frame: "06094141734b414141424145494a4161417868673d3d0a",
                answer: "0b00000600420901bf62726308ff"),
            Exchange(
                name: "unknown group, version 1",
                frame: "060941417343414141424145494b416142424b513d3d0a",
                answer: "0300000600420a01bf62726308ff"),
            Exchange(
                name: "unknown command",
                frame: "060941417349414141424141414c5936423350513d3d0a",
                answer: "0900000600000b63bf62726308ff"),
            Exchange(
                name: "bad CRC",
                frame: "06094142414b414141474141414e414b46685a474a6f6141413d0a", answer: nil),
            Exchange(
                name: "truncated frame, LF, good frame",
                frame:
                    "06094142414b414141470a06094142414b4141414741414150414b46685a474a6f6154752b0a",
                answer: "0b00000700000f00bf6172626869ff"),
            Exchange(
                name: "bad CBOR", frame: "06094141774b414141434141415141502f2f386f6f3d0a",
                answer: "0b00000600001000bf62726303ff"),
            Exchange(
                name: "CR LF",
                frame: "06094142414b4141414741414152414b46685a474a6f615a67620d0a",
                answer: "0b00000700001100bf6172626869ff"),
            Exchange(
                name: "length in the header too long",
                frame: "06094142414b4141426a41414153414b46685a474a6f615466500a",
                answer: "0b00000600001200bf62726309ff"),
            // This device's own numbers.
            Exchange(
                name: "parameters",
                frame: "06094141734941414142414141414271427a45773d3d0a",
                answer: "0900001300000006a2686275665f73697a65190200696275665f636f756e7401"),
            // Zephyr drops the second line unless it is paced; this library does not.
            Exchange(
                name: "echo of 200, two lines",
                frame: """
                    0609414e634b4141444e4141414d414b46685a486a4965586c3565586c3565586c3565586c3565586c35 \
                    65586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c356558 \
                    6c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c35 \
                    0a041465586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c \
                    3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565 \
                    586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c \
                    350a041465586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c356558 \
                    6b424b773d3d0a
                    """,
                answer: "0b0000cd00000c00a1617278c8" + String(repeating: "79", count: 200)),
            // The same: Zephyr takes the good frame for the rest of the other.
            Exchange(
                name: "truncated frame, good frame",
                frame: "06094142414b4141414706094142414b414141474141414f414b46685a474a6f615878740a",
                answer: "0b00000700000e00bf6172626869ff"),
            // A group that this device does not have.
            Exchange(
                name: "settings, version 2",
                frame: """
                    06094142384b4141415641414d54414b4a6b626d46745a576477636d39324c326c6b59335a6862454942 \
                    417645480a
                    """,
                answer: "0b00000600031300bf62726308ff"),
            Exchange(
                name: "settings, version 1",
                frame: """
                    0609414238434141415641414d55414b4a6b626d46745a576477636d39324c326c6b59335a6862454942 \
                    416933410a
                    """,
                answer: "0300000600031400bf62726308ff"),
            Exchange(
                name: "alive",
                frame: "06094142414b4141414741414156414b46685a474a766179366a0a",
                answer: "0b00000700001500bf6172626f6bff"),
            Exchange(
                name: "image state",
                frame: "0609414173494141414241414541414b437641513d3d0a",
                answer: "0900000600010000bf62726308ff"),
            Exchange(
                name: "image upload, two lines",
                frame: """
                    060941496f4b41414341414145434161566a62475675474d686a62325a6d41474e7a6147465949414141 \
                    414141414141414141414141414141414141414141414141414141414141414141414141414141415a47 \
                    5268644746595141414241674d454251594843416b4b4377774e4467385145524954464255574678675a \
                    0a04144768736348523466494345694979516c4a69636f4b536f724c4330754c7a41784d6a4d304e5459 \
                    334f446b364f7a7739506a396c615731685a3255415065593d0a
                    """,
                answer: "0b00000600010201bf62726308ff"),
        ]

        @Test(arguments: exchanges) func answersAsZephyrDid(_ exchange: Exchange) throws {
            let device = Device.blank()
            let answers = try #require(
                SerialFraming.messages(device.send(octets(exchange.frame))))
            let expected = exchange.answer.map(octets)
            #expect(answers.count == (expected == nil ? 0 : 1))
            guard let answer = answers.first, let expected else { return }
            // All of the header but the length: Zephyr writes maps of indefinite length.
            #expect(answer[..<2] == expected[..<2])
            #expect(answer[4..<8] == expected[4..<8])
            #expect(try CBORValue.decode(answer[8...]) == CBORValue.decode(expected[8...]))
        }

        @Test func writesTheFrameOfThePublishedVector() throws {
            let device = Device.blank()
            let request = octets("0a00000600000700a16164626869")
            // {"r": "hi"} with a definite length.
            let answer = octets("0b00000600000700a16172626869")
            #expect(device.send(SerialFraming.frame(request)) == SerialFraming.frame(answer))
        }

        @Test func tellsItsBuffer() throws {
            let parameters = try Device.blank().payload(.read, 6, [:], group: .os)
            #expect(parameters == ["buf_size": 512, "buf_count": 1])
        }

        @Test func restartsAfterItsAnswer() throws {
            let device = Device.blank()
            let answer = try device.call(.write, 5, [:], group: .os)
            #expect(answer == .payload([:]))
            #expect(test_resets() == 1)
            #expect(try device.call(.read, 5, [:], group: .os) == .error(8))
            #expect(test_resets() == 1)
        }

        @Test func echoesWhateverFits() throws {
            let device = Device.blank()
            for count in [0, 1, 23, 24, 255, 256, 498] {
                let text = String(repeating: "y", count: count)
                #expect(
                    try device.call(.write, 0, ["d": .text(text)], group: .os)
                        == .payload(["r": .text(text)]))
            }
            let tooLong = SerialFraming.frame([UInt8](repeating: 0, count: 513))
            #expect(device.send(tooLong) == [])
            #expect(try device.call(.write, 0, ["d": "z"], group: .os) == .payload(["r": "z"]))
        }

        @Test func takesFramesAmongLogText() throws {
            let device = Device.blank()
            let frame = SerialFraming.frame(octets("0a00000600000700a16164626869"))
            let lines: [[UInt8]] = [
                Array("boot ok\r\n".utf8) + frame,
                Array("no line end ".utf8) + frame,
                [0x06] + frame, [0x04, 0x14] + frame, [0x06, 0x09] + frame,
                [0x06, 0x09, 0x0a] + frame, [0x06, 0x09, 0x3d, 0x3d, 0x0a] + frame,
                // A frame that lost its line end: Zephyr drops the next one, this library does not.
                frame.dropLast(7) + frame,
            ]
            for line in lines {
                #expect(SerialFraming.messages(device.send(line))?.count == 1, "\(line)")
            }
        }

        @Test func joinsShortLines() throws {
            let device = Device.blank()
            let body = (["d": .text(String(repeating: "q", count: 200))] as CBORValue).encoded()
            let message: [UInt8] = [0x0a, 0, 0, UInt8(body.count), 0, 0, 1, 0] + body
            let frame = SerialFraming.frame(message, lineLength: 8)
            let broken = Array(
                frame.split(separator: 0x0a).joined(separator: Array("\nlog\n".utf8)))
            #expect(SerialFraming.messages(device.send(frame))?.count == 1)
            #expect(SerialFraming.messages(device.send(broken + [0x0a]))?.count == 1)
        }

        @Test func ignoresAnswers() throws {
            let device = Device.blank()
            for operation: UInt8 in [1, 3, 4, 5, 6, 7] {
                #expect(try device.exchange([8 | operation, 0, 0, 1, 0, 0, 1, 0, 0xa0]) == nil)
            }
            #expect(try device.exchange([0x0a, 0, 0, 0, 0, 0, 1]) == nil)
        }

        @Test func refusesVersionsToCome() throws {
            let answer = try #require(
                try Device.blank().exchange([0x12, 0, 0, 1, 0, 0, 1, 0, 0xa0]))
            #expect(answer == [0x0b, 0, 0, 5, 0, 0, 1, 0] + (["rc": 13] as CBORValue).encoded())
        }

        @Test(arguments: [
            "a0", "bfff", "a1616401", "bf61640163787878f6ff", "a201020304", "a16178a1617982f501",
            "a16178fb4059000000000000", "a16178c11a5eb63bbb", "a161785f41004101ff",
            "a16178d81884000102f820", "a1187f20",
        ]) func skipsWhatItDoesNotKnow(_ hexadecimal: String) throws {
            let device = Device.blank()
            let body = octets(hexadecimal)
            guard case .payload = try device.call(.read, 0, encoded: body) else {
                Issue.record("\(hexadecimal)")
                return
            }
        }

        @Test(arguments: [
            "", "a1", "a161", "a16164", "a1616401ff", "a2616401616402", "bf6164ff", "80", "01",
            "a16178f8", "a16178f818", "a161781c", "a16178ff", "a161785f6100ff",
            "a161785f5f4100ffff",
            "a1617881818181818101", "a161789b0000000100000000", "a161785b0000000100000000",
            "bb0000000100000001", "a161787f61c3ff", "a161786180", "a16178c0", "a16178f900", "ff",
        ]) func refusesWhatIsNotWellFormed(_ hexadecimal: String) throws {
            let device = Device.blank()
            let body = octets(hexadecimal)
            #expect(try device.call(.read, 0, encoded: body) == .error(3))
        }

        @Test func joinsStringsInPieces() throws {
            // {"d": (_ "ab", "", "c")}
            let body = octets("bf61647f626162606163ffff")
            #expect(
                try Device.blank().call(.write, 0, encoded: body, group: .os)
                    == .payload(["r": "abc"]))
        }
    }
}

/// The octets that pairs of hexadecimal digits name; white space is skipped.
func octets(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
