import Foundation

/// What the benchmarks of one run share.
final class Bench {
    /// Fewer repetitions and smaller registries: says whether it works, not how fast it is.
    let isQuick: Bool
    /// Why a figure is missing, for the summary.
    private(set) var skipped: [String] = []

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

    /// The median: one run that was disturbed does not move it.
    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// The built executables, side by side in one folder.
    static var provision: URL {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "provision")
    }

    /// A folder that is removed with the scope.
    static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "provision-bench-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
