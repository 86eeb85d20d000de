import Foundation
import PlatformAdapter
import Provisioning
import Testing

@testable import Channels

/// The host's end of the conversation, with an adapter that is a function.
@Suite struct AdapterSessionTests {
    /// Says hello, and answers the rest as the test wants it.
    private final class Script: AdapterTransport {
        let name = "script"
        private(set) var requests: [[String: Any]] = []
        private var lines: [String] = []
        private let answer: (Int, String) -> [String]

        init(_ answer: @escaping (_ id: Int, _ request: String) -> [String]) {
            self.answer = answer
        }

        func send(_ line: [UInt8], within timeout: Duration) throws(ProvisioningError) {
            let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            guard let object else { return }
            requests.append(object)
            guard let id = object["id"] as? Int, let request = object["do"] as? String else {
                return
            }
            if request.hasPrefix("x-") {
                lines.append("{\"id\":\(id),\"ok\":false,\"error\":\"unknown\"}")
            } else if request == "hello" {
                lines.append(
                    "{\"id\":\(id),\"ok\":true,\"version\":1,\"can\":[\"identify\",\"x\"]}")
            } else {
                lines += answer(id, request)
            }
        }

        func receive(within timeout: Duration) throws(ProvisioningError) -> [UInt8]? {
            lines.isEmpty ? nil : Array(lines.removeFirst().utf8)
        }

        func end() {}

        func say(_ line: String) { lines.append(line) }

        var names: [String] { requests.compactMap { $0["do"] as? String } }
    }

    private static func ok(_ id: Int, _ more: String = "") -> String {
        "{\"id\":\(id),\"ok\":true\(more)}"
    }

    private func session(
        _ grease: AdapterGrease.Amount = .never, _ answer: @escaping (Int, String) -> [String]
    ) throws -> (AdapterSession, Script) {
        let script = Script(answer)
        let session = AdapterSession(script, grease: AdapterGrease(grease))
        _ = try session.hello()
        return (session, script)
    }

    @Test func whatALaterVersionMaySayIsTolerated() throws {
        let (session, script) = try session { id, _ in
            [
                #"{"note":"new","x":{"data":[1]}}"#, "{\"id\":\(id),\"progress\":1,\"later\":null}",
                #"{"id":1,"do":"x-ask"}"#, Self.ok(id, #","device":"1f0c","x":[{"id":3}]"#),
            ]
        }
        #expect("\(try AdapterIDReader(session).readDeviceID())" == "1f0c")
        #expect(session.abilities == [.identify])
        // What it asked is answered: this version knows no such request.
        let answer = try #require(script.requests.first { $0["ok"] != nil })
        #expect(answer["ok"] as? Bool == false && answer["error"] as? String == "unknown")
        #expect(answer["id"] as? Int == 1)
    }

    @Test func aRequestThatWasGivenUpMayBeAnsweredOnce() throws {
        var given: Int?
        let (session, script) = try session { id, request in
            guard request == "write" else { return [Self.ok(id)] }
            defer { given = id }
            return given == nil ? [] : [Self.ok(id)]
        }
        let channel = try AdapterChannel(session, port: nil, isFlashed: false)
        #expect(throws: ProvisioningError(.channelUnavailable, "")) {
            try channel.write([1], within: .milliseconds(1))
        }
        let late = Self.ok(try #require(given))
        script.say(late)
        try channel.write([2], within: .seconds(1))
        script.say(late)
        #expect(throws: ProvisioningError(.answerUnrelated, "")) {
            try channel.write([3], within: .seconds(1))
        }
    }

    /// Once, and only to an adapter that has answered all it was asked.
    @Test func theEndIsABye() throws {
        let (session, script) = try session { id, _ in [Self.ok(id)] }
        session.end()
        session.end()
        #expect(script.names == ["hello", "bye"])

        let (polite, heard) = try self.session { id, _ in [Self.ok(id)] }
        try polite.bye()
        polite.end()
        #expect(heard.names == ["hello", "bye"])

        let (waiting, silent) = try self.session { _, _ in [] }
        #expect(throws: ProvisioningError(.adapterSilent, "")) {
            try AdapterIDReader(waiting).readDeviceID()
        }
        waiting.end()
        #expect(silent.names == ["hello", "identify"])
    }

    /// As a run sees it: an image that changes behind `flash` is another one than the receipt's.
    @Test func anImageThatChangesIsNoticed() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "provision-image-\(UUID().uuidString)").path
        defer { unlink(path) }
        try Data([1, 2, 3]).write(to: URL(filePath: path))
        let (session, _) = try session { id, _ in [Self.ok(id, #","bytes":3"#)] }
        let flasher: any Flasher = AdapterFlasher(session)
        let image = FirmwareImage(path: path)
        let receipt = try flasher.flash(image, erasing: false)
        try flasher.check(image, is: receipt)
        try Data([1, 2, 4]).write(to: URL(filePath: path))
        #expect(throws: ProvisioningError(.flashFailed, "")) {
            try flasher.check(image, is: receipt)
        }
    }

    @Test func bytesComeInTheirOrderAndTheEndBehindThem() throws {
        let (session, script) = try session { id, request in
            request == "write" ? [#"{"data":"QUI="}"#, Self.ok(id)] : [Self.ok(id)]
        }
        let channel = try AdapterChannel(session, port: "p", isFlashed: false)
        #expect(channel.name == "script (p)")
        try channel.write([UInt8](repeating: 0, count: 9000), within: .seconds(1))
        script.say(#"{"data":"Qw=="}"#)
        script.say(#"{"gone":"unplugged"}"#)
        var bytes: [UInt8] = []
        while bytes.count < 7 { bytes += try channel.read(atMost: 2, within: .seconds(1)) }
        #expect(bytes == Array("ABABABC".utf8))
        let error = #expect(throws: ProvisioningError.self) {
            try channel.read(atMost: 1, within: .seconds(1))
        }
        #expect(error?.code == .channelClosed && error?.reason.contains("unplugged") == true)
        // In messages that are not longer than they may be.
        let writes = script.requests.filter { $0["do"] as? String == "write" }
        #expect(writes.count == 3)
    }

    /// An answer to identify, and what is said of it: all that is wrong, and what helps.
    @Test(
        arguments: [
            (
                #","device":" 245e1a5c\n""#, #"the device ID " 245e1a5c\n", not 1 to 64 bytes"#,
                "provision check script"
            ),
            (
                #","device":""# + String(repeating: "ab", count: 100) + "\"",
                String(repeating: "ab", count: 32) + "\"…, not 1 to 64 bytes",
                "provision check script"
            ),
            ("", #"answers identify without a "device""#, "provision check script"),
            (#","can":"flash""#, #"}": "can" is not a list of strings"#, "provision check script"),
            ("]", "}\": not an object of JSON", "its standard output"),
        ])
    func whatIsWrongIsShown(_ more: String, _ reason: String, _ hint: String) throws {
        let (session, _) = try session { id, _ in [Self.ok(id, more)] }
        let error = #expect(throws: ProvisioningError.self) {
            try AdapterIDReader(session).readDeviceID()
        }
        #expect(error?.code == .adapterProtocol)
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
        #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
    }

    @Test func noWordsOfTheAdapterAreReplaced() throws {
        let (session, _) = try session { id, _ in
            ["{\"id\":\(id),\"ok\":false,\"error\":\"failed\",\"reason\":\" \",\"hint\":\"\"}"]
        }
        let error = #expect(throws: ProvisioningError.self) { try session.reset() }
        #expect(error?.reason == "script: failed")
        #expect(error?.hint?.contains("could not do \"reset\"") == true)
    }

    @Test func anAdapterWithoutAVersionIsTold() throws {
        let error = #expect(throws: ProvisioningError.self) {
            try AdapterSession(Eager(), grease: AdapterGrease(.never)).hello()
        }
        #expect(error?.code == .versionUnsupported)
        #expect(
            error?.reason
                == "eager answers hello without a \"version\", this program speaks 1")
    }

    /// What keeps adapters tolerant is sent, and one that is not is found by it.
    @Test func adaptersAreKeptTolerant() throws {
        let (session, script) = try session(.always) { id, _ in [Self.ok(id, #","device":"00""#)] }
        for _ in 0..<50 { _ = try AdapterIDReader(session).readDeviceID() }
        #expect(script.names.count { $0.hasPrefix("x-") } == 50)
        #expect(script.requests.allSatisfy { $0.keys.contains { $0.hasPrefix("x-") } })
        let versions = try #require(script.requests[0]["versions"] as? [Int])
        #expect(versions.contains(1) && versions.contains { $0 > 32_767 })

        let unwary = AdapterSession(Eager(), grease: AdapterGrease(.always))
        #expect(throws: ProvisioningError(.adapterProtocol, "")) {
            _ = try unwary.call(.identify, within: .seconds(1))
        }
    }

    /// Now and then only, in a run.
    @Test func aRunIsGreasedNowAndThen() throws {
        let (session, script) = try session(.sometimes) { id, _ in [Self.ok(id, #","device":"00""#)]
        }
        for _ in 0..<1000 { _ = try AdapterIDReader(session).readDeviceID() }
        #expect((40...300).contains(script.names.count { $0.hasPrefix("x-") }))
    }

    /// Says ok to whatever it is asked.
    private final class Eager: AdapterTransport {
        let name = "eager"
        private var id = 0

        func send(_ line: [UInt8], within timeout: Duration) throws(ProvisioningError) {
            id = (try? AdapterMessage(parsing: line).id) ?? 0
        }

        func receive(within timeout: Duration) throws(ProvisioningError) -> [UInt8]? {
            Array("{\"id\":\(id),\"ok\":true}".utf8)
        }

        func end() {}
    }
}
