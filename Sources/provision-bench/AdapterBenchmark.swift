import Channels
import Foundation
import Provisioning

/// What it costs that a board is behind a program: a turn with an adapter, over the time that the adapter
/// itself takes.
struct AdapterBenchmark: Benchmark {
    let topic = "adapter"
    let abstract = "a request to an adapter, over its own time"

    /// Knows how long it took, from a request that was read to an answer that is about to be written, and
    /// says so in microseconds, as the device's ID. What the device gets, it says.
    private static let adapter = """
        #!/usr/bin/env python3
        import json, sys, time
        for line in sys.stdin:
            start = time.perf_counter()
            request = json.loads(line)
            answer, more = {"id": request["id"], "ok": True}, ""
            if request["do"] == "hello":
                answer.update(version=1, can=["identify"])
            elif request["do"] == "identify":
                time.sleep(0.002)
                answer["device"] = "%016x" % int((time.perf_counter() - start) * 1e6)
            elif request["do"] == "write":
                more = json.dumps({"data": request["data"]}) + "\\n"
            elif request["do"].startswith("x-"):
                answer.update(ok=False, error="unknown")
            sys.stdout.write(more + json.dumps(answer) + "\\n")
            sys.stdout.flush()

        """

    func measure(_ bench: Bench) throws -> [Measurement] {
        try Bench.withFolder { folder in
            let file = folder.appending(path: "provision-platform-bench")
            try Data(Self.adapter.utf8).write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: file.path)
            bench.progress("an adapter's requests")
            let session = AdapterSession(
                try AdapterProcess(
                    AdapterProgram(path: file.path), interruption: Interruption()
                ) { _ in })
            defer { session.end() }
            _ = try session.hello()
            let count = bench.isQuick ? 20 : 1000
            let requests = try requests(to: session, count)
            bench.progress("an adapter's channel")
            let turns = try turns(through: session, count)
            return [
                // With what is sent now and then to keep adapters tolerant.
                Measurement(
                    "an adapter's request, over its own time", requests, "ms",
                    beside: .limit(5), .atMost(1)),
                Measurement(
                    "200 bytes to a device and back", turns, "ms", beside: .limit(5), .atMost(1)),
            ]
        }
    }

    /// The mean, in milliseconds.
    private func requests(to session: AdapterSession, _ count: Int) throws -> Double {
        let reader = AdapterIDReader(session)
        var total = 0.0
        for _ in 0..<count {
            let start = ContinuousClock.now
            let own = try reader.readDeviceID()
            let time = (ContinuousClock.now - start) / .milliseconds(1)
            guard let microseconds = Int("\(own)", radix: 16) else {
                throw Failure("the adapter says that it took \(own)")
            }
            total += time - Double(microseconds) / 1000
        }
        return total / Double(count)
    }

    /// The median, in milliseconds: the adapter's own time is in it.
    private func turns(through session: AdapterSession, _ count: Int) throws -> Double {
        let channel = try AdapterChannel(session, port: nil, isFlashed: false)
        defer { channel.close() }
        let bytes = [UInt8](repeating: 0x55, count: 200)
        let times = try (0..<count).map { _ in
            try Bench.seconds {
                try channel.write(bytes, within: .seconds(5))
                var got = 0
                while got < bytes.count {
                    let part = try channel.read(atMost: 4096, within: .seconds(5))
                    guard !part.isEmpty else { throw Failure("\(got) bytes came back") }
                    got += part.count
                }
            } * 1000
        }
        return Bench.median(times)
    }
}
