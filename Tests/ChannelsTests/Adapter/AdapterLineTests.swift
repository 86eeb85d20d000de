import Foundation
import PlatformAdapter
import Provisioning
import Testing

@testable import Channels

/// The lines between host and adapter.
@Suite struct AdapterLineTests {
    /// Foundation's reader is the judge of what this writes.
    @Test(arguments: [
        "plain", "", "\"quoted\" \\ and \u{7}\u{1b}[2J", "line\nfeed\r\n\t", "é € 😀 \u{7f}",
        "\u{0}",
    ])
    func textsSurvive(_ text: String) throws {
        let line = AdapterLine(id: 7, "x", [.init(text, .text(text))])
        let bytes = line.bytes
        #expect(bytes.last == 10)
        #expect(!bytes.dropLast().contains { $0 < 0x20 || $0 == 0x7F })
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        #expect(object?[text] as? String == text)
        #expect(object?["id"] as? Int == 7)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(#"{"id":7,"do":"x","#))
    }

    /// However it is cut, and a line that is too long is told once.
    @Test func linesAreFoundAtAnyCut() {
        let longest = [UInt8](repeating: 65, count: AdapterProtocol.maximumLineLength - 1)
        let bytes =
            Array("{}\n\n{\"a\":1}\n".utf8) + longest + [10] + longest + [65, 65, 10, 66, 10]
        let expected: [AdapterLineSplitter.Part] = [
            .line(Array("{}".utf8)), .line([]), .line(Array("{\"a\":1}".utf8)), .line(longest),
            .oversized, .line([66]),
        ]
        for count in [1, 2, 3, 1000, bytes.count] {
            var splitter = AdapterLineSplitter()
            var parts: [AdapterLineSplitter.Part] = []
            for start in stride(from: 0, to: bytes.count, by: count) {
                parts += splitter.push(bytes[start..<min(bytes.count, start + count)])
            }
            #expect(parts == expected, "in pieces of \(count)")
        }
    }

    @Test(arguments: [
        ("", AdapterMessage.Fault.notAnObject),
        ("[]", .notAnObject), ("{\"id\":}", .notAnObject),
        ("{\"id\":\"1\"}", .wrongType("id", not: "an integer")),
        ("{\"ok\":1}", .wrongType("ok", not: "true or false")),
        ("{\"can\":\"flash\"}", .wrongType("can", not: "a list of strings")),
        ("{\"can\":[1]}", .wrongType("can", not: "a list of strings")),
        ("{\"can\":[null]}", .wrongType("can", not: "a list of strings")),
        ("{\"usb-serial\":1}", .wrongType("usb-serial", not: "a string")),
        (
            String(repeating: "{\"x\":", count: 17) + "1" + String(repeating: "}", count: 17),
            .tooDeep
        ),
    ])
    func whatIsNoMessageIsRefused(_ text: String, _ fault: AdapterMessage.Fault) {
        #expect(throws: fault) { try AdapterMessage(parsing: Array(text.utf8)) }
    }

    @Test func bracketsInTextsAreNoDepth() throws {
        let text = "{\"id\":1,\"x\":\"" + String(repeating: "[{\\\"", count: 100) + "\"}"
        #expect(try AdapterMessage(parsing: Array(text.utf8)).id == 1)
        #expect(throws: AdapterMessage.Fault.notUTF8) {
            try AdapterMessage(parsing: [0x7B, 0xFF, 0x7D])
        }
    }

    @Test(arguments: [
        "provision-platform-x", "./x", "./provision-platform-", "/bin/sh", "./provision-platform",
    ])
    func aProgramHasItsName(_ path: String) {
        #expect(throws: ProvisioningError(.usage, "")) { try AdapterProgram(path: path) }
    }

    @Test func noNameLeavesItsFolder() {
        for name in ["../x", "a/b", "", "x\0y"] {
            #expect(AdapterProgram.find(name, searchPath: "/bin:/usr/bin") == nil)
        }
    }

    /// Each error that a part in Swift may throw has a word, which means the same at the other end.
    @Test func everyFailureHasItsCode() {
        for failure in AdapterFailure.allCases where failure.code != .adapterProtocol {
            #expect(AdapterFailure(failure.code).code == failure.code)
        }
        #expect(AdapterFailure(.registryDamaged) == .failed)
    }
}
