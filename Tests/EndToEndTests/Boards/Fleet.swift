import Foundation
import Testing

/// Arguments that name several boards.
enum Fleet {
    static let image = ["--no-build", "--package-path", Firmware.package.path]

    static func options(_ boards: [String]) -> [String] {
        boards.flatMap { ["--board", $0] }
    }
}

extension Executable.Result {
    func boards() throws -> [[String: Any]] {
        try #require(try json()["boards"] as? [[String: Any]])
    }
}
