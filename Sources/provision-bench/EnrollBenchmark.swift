import Foundation

/// The executable's whole run for a device, beside another tool's.
struct EnrollBenchmark: Benchmark {
    let topic = "enroll"
    let abstract = "`provision enroll` as a process, beside nrfcloud-utils at its job"

    func measure(_ bench: Bench) throws -> [Measurement] {
        let image = try bench.firmware()
        return try Bench.withFolder { folder in
            bench.progress("provision enroll")
            let own = try (0..<(bench.isQuick ? 1 : 15)).map { number in
                try enroll(number, image, folder)
            }
            let name = "provision enroll, the whole process"
            let value = Bench.median(own) * 1000
            if let reason = try NRFCloudUtils.prepare(bench) {
                bench.skip("nrfcloud-utils", because: reason)
                return [Measurement(name, value, "ms")]
            }
            bench.progress("nrfcloud-utils")
            let tool = try NRFCloudUtils(in: folder)
            let peer = Bench.median(try (0..<3).map(tool.install(number:))) * 1000
            return [
                Measurement(
                    name, value, "ms", beside: .init(name: "nrfcloud-utils", value: peer),
                    .atMost(1))
            ]
        }
    }

    private func enroll(_ number: Int, _ image: String, _ folder: URL) throws -> Double {
        let device = try NativeDevice(
            image: image, state: folder.appending(path: "device-\(number)"))
        return try Program(
            [Bench.provision.path, "enroll", "--platform", "native", "--port", device.port],
            ["PROVISION_HOME": folder.appending(path: "home").path]
        ).runSuccessfully().seconds
    }
}
