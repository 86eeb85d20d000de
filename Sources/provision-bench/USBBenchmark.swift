import Foundation

/// Bulk transfers beside the least that libusb takes for the same, in a guest with Linux's own USB and a gadget that
/// echoes: `Tests/USBGuest`. The guest's time is counted in instructions, so that the figures are the same beside other
/// work.
struct USBBenchmark: Benchmark {
    let topic = "usb"
    let abstract = "bulk transfers, beside a bare loop of libusb's, in a guest"

    /// 2⁴ ns for an instruction: about what an emulated core takes. A quicker one waits for its bus, and has any two
    /// programs seem alike; a slower one has nothing else to do but system calls.
    private static let scale = "4"

    private struct Size {
        let roundTrips: Int
        /// Octets.
        let length: Int
        let turns: Int
        static let quick = Size(roundTrips: 50, length: 1 << 17, turns: 1)
        static let full = Size(roundTrips: 1000, length: 1 << 21, turns: 5)
    }

    func measure(_ bench: Bench) throws -> [Measurement] {
        let stamp = Bench.packageRoot.appending(path: ".build/usb-guest/stamp").path
        guard FileManager.default.fileExists(atPath: stamp) else {
            bench.skip(topic, because: "there is no guest: Scripts/setup --test makes one")
            return []
        }
        do {
            _ = try Program(["qemu-system-x86_64", "--version"]).runSuccessfully()
        } catch {
            bench.skip(topic, because: "\(error)")
            return []
        }
        return try Bench.withFolder { try measure(bench, $0) }
    }

    private func measure(_ bench: Bench, _ folder: URL) throws -> [Measurement] {
        let size = bench.isQuick ? Size.quick : .full
        let tests = Bench.packageRoot.appending(path: "Tests/USBGuest").path
        _ = try Program(["\(tests)/build", folder.path]).runSuccessfully()
        let script = folder.appending(path: "script")
        try Data(
            """
            export GUEST_PRODUCTS='\(folder.path)' GUEST_TOOL='\(Bench.provision.path)'
            export MEASURE_COUNT=\(size.roundTrips) MEASURE_LENGTH=\(size.length) MEASURE_TURNS=\(size.turns)
            exec '\(tests)/measure'

            """.utf8
        ).write(to: script)
        bench.progress("bulk USB in a guest, and a bare loop of libusb's")
        let output = try Program(["\(tests)/boot", script.path, Self.scale]).runSuccessfully()
        let times = Times(of: output.output)
        let trip = try times.median(of: "echo", by: "usb-probe") / Double(size.roundTrips)
        let bareTrip = try times.median(of: "echo", by: "usb-bare") / Double(size.roundTrips)
        let length = Double(size.length) / 1e6
        let rate = length / (try times.median(of: "stream", by: "usb-probe"))
        let bareRate = length / (try times.median(of: "stream", by: "usb-bare"))
        return [
            Measurement(
                "bulk round trip of 64 bytes, in a guest", trip * 1e3, "ms",
                beside: .init(name: "a bare libusb loop", value: bareTrip * 1e3), .atMost(1.3)),
            Measurement(
                "bulk stream from a gadget, in a guest", rate, "MB/s",
                beside: .init(name: "a bare libusb loop", value: bareRate), .atLeast(1 / 1.3)),
        ]
    }

    /// Lines of `TIME who what seconds`.
    private struct Times {
        private var seconds: [String: [Double]] = [:]

        init(of output: String) {
            for line in output.split(whereSeparator: \.isNewline) {
                let words = line.split(separator: " ").map(String.init)
                guard words.count == 4, words[0] == "TIME", let time = Double(words[3]) else {
                    continue
                }
                seconds["\(words[1]) \(words[2])", default: []].append(time)
            }
        }

        func median(of what: String, by program: String) throws -> Double {
            guard let times = seconds["\(program) \(what)"] else {
                throw Failure("the guest measured no \(what) of \(program)")
            }
            return Bench.median(times)
        }
    }
}
