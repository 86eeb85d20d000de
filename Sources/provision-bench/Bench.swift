import Foundation

/// What the benchmarks of one run share.
final class Bench {
    /// Fewer repetitions and smaller registries: says whether it works, not how fast it is.
    let isQuick: Bool
    /// Why a figure is missing, for the summary.
    private(set) var skipped: [String] = []
    /// Paths of images, by board.
    private var images: [String: String] = [:]

    init(isQuick: Bool) { self.isQuick = isQuick }

    /// Notes a figure that can't be had here. It is shown and counted, never silently left out.
    func skip(_ name: String, because reason: String) { skipped.append("\(name): \(reason)") }

    /// Says on standard error what is being measured.
    func progress(_ text: String) {
        FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
    }

    /// Seconds that `body` takes.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        return try clock.measure(body) / .seconds(1)
    }

    /// Seconds of a core that this thread spends on `body`: what else runs on the machine does not
    /// count.
    static func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        let start = now()
        try body()
        return now() - start
    }

    /// The median: one run that was disturbed does not move it.
    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

// MARK: - What was built

extension Bench {
    /// The built executable, in the folder of this one: SwiftPM puts all products of a build there.
    static let provision = executable.deletingLastPathComponent().appending(path: "provision")

    /// As it was at the start: a build meanwhile puts another one in its place.
    private static let executable: URL = {
        #if os(Linux)
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
            URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        #endif
    }()

    /// The repository that this program was built in.
    static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The firmware template.
    static let template = packageRoot.appending(path: "Templates/embedded-swift")

    /// Path of the template's firmware as a program of this machine, built when it is first asked for.
    func firmware() throws -> String { try image(of: "native", []) }

    /// Path of the template's firmware for the BBC micro:bit.
    func microbitFirmware() throws -> String {
        try image(
            of: "microbit",
            ["--triple", "armv6m-none-none-eabi", "--toolset", "boards/microbit/toolset.json"])
    }

    /// Why there can't be an emulated micro:bit here; nil if there can. Fetches what its firmware needs.
    var emulatorObstacle: String? {
        do {
            _ = try Program(["qemu-system-arm", "--version"]).runSuccessfully()
            let fetch = Self.packageRoot.appending(path: "Scripts/fetch-mbedtls").path
            _ = try Program([fetch]).runSuccessfully()
            return nil
        } catch {
            return "\(error)".split(separator: "\n").joined(separator: " ")
        }
    }

    private func image(of board: String, _ options: [String]) throws -> String {
        if let image = images[board] { return image }
        progress("building the firmware, \(board)")
        let scratch = Self.template.appending(path: ".build/provision-\(board)")
        _ = try Program(
            ["swift", "build", "-c", "release"] + options
                + ["--scratch-path", scratch.path, "--product", "Firmware"], in: Self.template
        ).runSuccessfully()
        let image = scratch.appending(path: "release/Firmware").path
        images[board] = image
        return image
    }

    /// A folder that is removed with the scope. On the disk of the repository: a temporary folder may
    /// be in memory, where durable costs nothing.
    static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
        let folder = packageRoot.appending(path: ".build/bench-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
