import Foundation
import Testing

/// PyPI's libraries of CoAP peers, `Tests/Judges/peers.py`.
struct CoAPJudge {
    let provision: Executable

    func callAsFunction(_ arguments: String...) throws -> [String: Any] {
        let python = Executable.packageRoot.appending(path: ".build/judges-coap/bin/python")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "the judges are not installed: run Scripts/setup --test")
        let script = Executable.packageRoot.appending(path: "Tests/Judges/peers.py").path
        let result = try provision.run(python, ["-B", script] + arguments)
        try #require(result.status == 0, "\(result.standardError)")
        return try result.json()
    }
}
