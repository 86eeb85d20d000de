import Foundation
import Testing

/// What an adapter may do wrong, and how a run must end then.
struct HostileAdapter: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The request in whose place it happens.
    let request: String
    /// Python. `i` is the request's ID, `r` the request.
    let deed: String
    let code: String
    let status: Int32

    init(_ description: String, at request: String, _ code: String, _ status: Int32, _ deed: String)
    {
        testDescription = description
        self.request = request
        self.deed = deed
        self.code = code
        self.status = status
    }

    static let all: [HostileAdapter] = [
        .init(
            "a line without end", at: "hello", "answer-oversized", 6, "while 1: put(b'a' * 4096)"),
        .init("silence at hello", at: "hello", "adapter-silent", 5, "time.sleep(600)"),
        .init("silence while it flashes", at: "flash", "adapter-silent", 5, "time.sleep(600)"),
        .init(
            "fewer bytes than none", at: "flash", "adapter-protocol", 6,
            "say(id=i, ok=True, bytes=-5, verified=True)"),
        .init(
            "more bytes than chips have", at: "flash", "adapter-protocol", 6,
            "say(id=i, ok=True, bytes=2**63 - 1, verified=True)"),
        .init("silence at identify", at: "identify", "adapter-silent", 5, "time.sleep(600)"),
        .init("silence at open", at: "open", "adapter-silent", 5, "time.sleep(600)"),
        .init("garbage", at: "hello", "adapter-protocol", 6, "put(b'\\0\\xff\\xfe garbage\\n')"),
        .init("text", at: "flash", "adapter-protocol", 6, "put(b'Flashing... 10%\\n')"),
        .init("a list", at: "identify", "adapter-protocol", 6, "put(b'[1]\\n')"),
        .init(
            "a key of another type", at: "identify", "adapter-protocol", 6, "say(id='1', ok=True)"),
        .init(
            "lists in lists", at: "identify", "answer-too-deep", 6,
            "put(b'{\"x\":' + b'[' * 30000 + b']' * 30000 + b'}\\n')"),
        .init(
            "another version", at: "hello", "version-unsupported", 6,
            "say(id=i, ok=True, version=9, can=[])"),
        .init(
            "a refused version", at: "hello", "version-unsupported", 6,
            "say(id=i, ok=False, error='version', reason='no', versions=[7, 8])"),
        .init(
            "no platform", at: "hello", "platform-invalid", 2,
            "say(id=i, ok=True, version=1, can=[])"),
        .init(
            "a platform with an unknown key", at: "hello", "platform-invalid", 2,
            "say(id=i, ok=True, version=1, can=[], platform={'description': 'x', 'bord': 'x'})"),
        .init("the end at hello", at: "hello", "adapter-failed", 5, "sys.exit(3)"),
        .init(
            "the end while it flashes", at: "flash", "flash-failed", 4,
            "say(id=i, progress=1, of=2); sys.stderr.write('no target\\n'); sys.exit(3)"),
        .init("the end at open", at: "open", "adapter-failed", 5, "os.kill(os.getpid(), 9)"),
        .init("messages without end", at: "identify", "frame-flood", 6, "while 1: say(note=1)"),
        .init(
            "requests without end", at: "identify", "frame-flood", 6,
            "while 1: say(**{'id': 1, 'do': 'x-ask'})"),
        .init(
            "answers to other requests", at: "flash", "answer-unrelated", 6,
            "say(id=i + 9, ok=True)"),
        .init(
            "an answer that comes twice", at: "identify", "answer-unrelated", 6,
            "say(id=i, ok=True, device='00'); say(id=i, ok=True, device='00')"),
        .init(
            "an error that nobody knows", at: "identify", "adapter-protocol", 6,
            "say(id=i, ok=False, error='oops')"),
        .init(
            "an ID that is none", at: "identify", "adapter-protocol", 6,
            "say(id=i, ok=True, device='xyz')"),
        .init("data without a channel", at: "identify", "adapter-protocol", 6, "say(data='QUJD')"),
        .init(
            "data that is no base64", at: "open", "adapter-protocol", 6,
            "say(id=i, ok=True); say(data='*')"),
        .init(
            "data without end", at: "write", "byte-flood", 6, "while 1: say(data='QUJD' * 10000)"),
        .init(
            "a device that has left", at: "open", "channel-closed", 5,
            "say(id=i, ok=True); say(gone='\\x1b[2Junplugged')"),
        .init(
            "a device that is closed", at: "write", "channel-closed", 5,
            "say(id=i, ok=False, error='channel-closed', reason='unplugged')"),
        .init(
            "a channel that takes nothing", at: "write", "channel-unavailable", 5, "time.sleep(600)"
        ),
        .init(
            "a log without end", at: "flash", "adapter-silent", 5,
            "while 1: sys.stderr.write('x' * 1000 + '\\n')"),
    ]

    /// Milliseconds for a flood to be one: a build that a sanitizer watches takes its time to read it.
    private static let patience = Executable.isSanitized ? 60_000 : 8000

    /// The program, as `provision-platform-hostile` in a folder of its own.
    func install(in folder: URL) throws -> URL {
        let place = folder.appending(path: "adapters")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let file = place.appending(path: "provision-platform-hostile")
        let text = """
            #!/usr/bin/env python3
            import json, os, sys, time
            def put(data):
                os.write(1, data)
            def say(**message):
                put(json.dumps(message).encode() + b"\\n")
            platform = {
                "description": "nobody can trust it", "board": "hostile",
                "timeouts": {"probe-ms": 1500, "flash-ms": 1500, "connect-ms": 1500,
                             "boot-ms": 1500, "answer-ms": 500, "write-ms": \(Self.patience)},
            }
            for line in sys.stdin:
                r = json.loads(line)
                i = r["id"]
                if r["do"] == "\(request)":
                    \(deed)
                elif r["do"] == "hello":
                    say(id=i, ok=True, version=1, can=["flash", "identify"], platform=platform)
                elif r["do"] == "identify":
                    say(id=i, ok=True, device="1f0c22ab90de4411")
                elif r["do"] in ("flash", "open", "write", "close", "bye"):
                    say(id=i, ok=True)
                else:
                    say(id=i, ok=False, error="unknown")

            """
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return place
    }
}

/// Whatever an adapter does, a run ends, says why, and leaves nothing behind.
@Suite struct HostileAdapterTests {
    @Test(arguments: HostileAdapter.all)
    func endsTheRun(_ adapter: HostileAdapter) throws {
        try Executable.withHome { provision in
            let place = try adapter.install(in: provision.home)
            let image = provision.home.appending(path: "image")
            try Data([1, 2, 3]).write(to: image)
            let leftovers = Leftovers(of: provision)
            let result = try provision(
                in: .searching(place),
                ["run", "--platform", "hostile", "--firmware", image.path, "--detach"])
            result.expectError(adapter.code, status: adapter.status)
            #expect(!result.standardError.contains("\u{1b}"))
            #expect(leftovers.processes() == [])
            #expect(try provision.keys().isEmpty)
            #expect(try provision.isRecordSound())
        }
    }
}

extension HostileAdapterTests {
    /// What it was asked for is done by then.
    @Test func itsSilenceAtByeIsNoError() throws {
        try Executable.withHome { provision in
            let adapter = HostileAdapter("silence at bye", at: "bye", "", 0, "time.sleep(600)")
            let place = try adapter.install(in: provision.home)
            let leftovers = Leftovers(of: provision)
            let result = try provision(in: .searching(place), ["platforms", "hostile"])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(leftovers.processes() == [])
        }
    }
}

extension Surrounding {
    /// With a folder of programs before all others.
    static func searching(_ folder: URL) -> Surrounding {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return .environment(["PATH": "\(folder.path):\(path)"])
    }
}
