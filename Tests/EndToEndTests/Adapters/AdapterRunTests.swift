import Foundation
import Testing

/// The native device, provisioned through each of the adapters to copy.
@Suite struct AdapterRunTests {
    private func path(with folder: URL) -> Surrounding {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return .environment(["PATH": "\(folder.path):\(path)"])
    }

    @Test(arguments: AdapterTemplate.allCases)
    func aProgramOnThePathIsEnough(_ template: AdapterTemplate) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let place = try template.install(in: provision.home)
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            let arguments = [
                "run", "--platform", "example", "--firmware", image, "--port", board.path,
                "--detach", "--json",
            ]
            let first = try provision(in: path(with: place), arguments)
            try #require(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["device"] as? String == board.id)
            #expect(try first.json()["isNewKey"] as? Bool == true)
            #expect(first.standardError.contains("the probe reads \(board.id)"))
            #expect(board.flashCount == 1)

            let second = try provision(in: path(with: place), arguments)
            #expect(second.status == 0, "\(second.standardError)")
            #expect(try second.json()["isNewKey"] as? Bool == false)

            let third = try provision(in: path(with: place), arguments + ["--erase"])
            #expect(third.status == 0, "\(third.standardError)")
            #expect(try third.json()["isNewKey"] as? Bool == true)
            #expect(try provision.keys().mapValues(\.count) == ["active": 1, "revoked": 1])
            #expect(try provision("registry", "verify").status == 0)
        }
    }
}
