import Foundation
import Testing

/// A program that changes the world around the one that it starts: a limit, a clock, other rights.
struct Surrounding: CustomStringConvertible {
    let description: String
    /// The program and its arguments; what it is to start follows them.
    let command: [String]

    init(_ description: String, _ command: String...) {
        self.description = description
        self.command = command
    }

    /// As a user who is not root, and may not do more than the files' modes say: root without its
    /// capabilities, or whoever runs the tests.
    static var ordinaryUser: Surrounding {
        geteuid() == 0
            ? Surrounding(
                "no privileges", "/usr/bin/setpriv", "--inh-caps=-all", "--bounding-set=-all")
            : Surrounding("no privileges", "/usr/bin/env")
    }

    /// With variables set, and others removed by an empty value.
    static func environment(_ variables: [String: String?]) -> Surrounding {
        var command = ["/usr/bin/env"]
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            if value == nil { command += ["-u", name] }
        }
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            if let value { command.append("\(name)=\(value)") }
        }
        return Surrounding(variables.description, command)
    }

    private init(_ description: String, _ command: [String]) {
        self.description = description
        self.command = command
    }
}

extension Executable {
    /// `provision` as a user runs it in `surrounding`.
    func callAsFunction(
        in surrounding: Surrounding, _ arguments: [String], folder: URL = Self.packageRoot
    ) throws -> Result {
        try run(
            URL(filePath: surrounding.command[0]),
            surrounding.command.dropFirst() + [Self.url.path] + arguments, in: folder)
    }

    /// The run that the tests of the world repeat: it is quick, and writes everywhere.
    static func nativeRun(_ more: String...) throws -> [String] {
        ["run", "--platform", "native", "--firmware", try Firmware.native(), "--detach", "--json"]
            + more
    }

    func provisionNative(_ more: String...) throws -> [String: Any] {
        let result = try run(Self.url, try Self.nativeRun() + more)
        try #require(result.status == 0, "\(result.standardError)")
        return try result.json()
    }

    /// Thumbprints by state.
    func keys() throws -> [String: [String]] {
        let keys = try self("keys", "--json").json()["keys"] as? [[String: Any]]
        var states: [String: [String]] = [:]
        for key in try #require(keys) {
            let state = try #require(key["state"] as? String)
            states[state, default: []].append(try #require(key["thumbprint"] as? String))
        }
        return states
    }

    /// Also if there is none: a run that ends early makes none.
    func isRecordSound() throws -> Bool {
        let isThere = FileManager.default.fileExists(atPath: home.path + "/registry.sqlite")
        return try !isThere || self("registry", "verify").status == 0
    }

    /// The next run provisions the device, and the record is sound.
    func expectToContinue(_ more: String...) throws {
        let next = try run(Self.url, try Self.nativeRun() + more)
        #expect(next.status == 0, "\(next.standardError)")
        #expect(try self("registry", "verify").status == 0)
        #expect(try keys()["active"]?.count == 1)
    }
}

extension Executable.Result {
    /// The stable code of the error that ended the run.
    var errorCode: String? {
        guard let start = standardError.range(of: "error["),
            let end = standardError[start.upperBound...].firstIndex(of: "]")
        else { return nil }
        return String(standardError[start.upperBound..<end])
    }

    var hint: String? {
        standardError.range(of: "hint: ").map { String(standardError[$0.upperBound...]) }
    }

    /// One error with its code, its status, a reason that has all `values`, and a hint.
    func expectError(
        _ code: String, status: Int32, _ values: String...,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(errorCode == code, "\(standardError)", sourceLocation: location)
        #expect(self.status == status, "\(standardError)", sourceLocation: location)
        let reason = standardError.components(separatedBy: "hint: ")[0]
        for value in values {
            #expect(
                reason.contains(value), "\(value) is missing in: \(standardError)",
                sourceLocation: location)
        }
        #expect(hint?.isEmpty == false, "no hint: \(standardError)", sourceLocation: location)
    }
}
