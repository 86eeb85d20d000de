import Foundation
import Provisioning
import Testing

/// The README's commands do what stands beside them.
@Suite struct ReadmeTests {
    private static let readme: [String] = {
        let file = Executable.packageRoot.appending(path: "README.md")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }()

    /// `    provision …   # comment`
    private static var commands: [[String]] {
        readme.compactMap { line in
            guard line.hasPrefix("    provision "), !line.hasPrefix("    provision: ") else {
                return nil
            }
            let command = line.split(separator: "#", omittingEmptySubsequences: false)[0]
            return command.split(separator: " ").dropFirst().map(String.init)
        }
    }

    @Test func everyCommandRuns() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--json")
            let device = try #require(try run.json()["device"] as? String)
            #expect(Self.commands.count >= 10)
            for var command in Self.commands
            where command[0] != "emulate" && !command.contains(Self.boardPort) {
                if let index = command.firstIndex(where: Self.isDeviceID) {
                    command[index] = device
                }
                if command.contains("--output"), let index = command.firstIndex(of: "--output") {
                    command[index + 1] = provision.home.appending(path: command[index + 1]).path
                }
                let result = try provision.run(Executable.url, command)
                #expect(result.status == 0, "\(command): \(result.standardError)")
            }
        }
    }

    /// Where a board stands, it is somebody's: a test has no business with it.
    private static let boardPort = "/dev/ttyACM0"
    private static var isBoardThere: Bool {
        var status = stat()
        return lstat(boardPort, &status) == 0
    }

    /// No image, no port.
    @Test(
        .disabled(if: isBoardThere, "a board is attached at \(boardPort), which stays as it is"))
    func theCommandsForABoardMissIt() throws {
        let commands = Self.commands.filter { $0.contains(Self.boardPort) }
        #expect(commands.count >= 2)
        try Executable.withHome { provision in
            for command in commands {
                let result = try provision.run(Executable.url, command)
                #expect(
                    [3, 5].contains(result.status), "\(command): \(result.standardError)")
            }
        }
    }

    @Test func theFirstCommandStandsEarlyAndTheRestIsShort() throws {
        let first = try #require(Self.readme.firstIndex { $0.hasPrefix("    $ ") })
        #expect(first < 12)
        #expect(Self.readme.count < 200)
    }

    @Test func everyExitStatusIsListed() throws {
        // What `doctor` found, and what `swift package` makes of any failure.
        let statuses = Set(ErrorCode.allCases.map { Int($0.exitStatus) } + [0, 1])
        func numbers(_ text: Substring) -> Set<Int> {
            Set(text.split { !$0.isNumber }.compactMap { Int($0) })
        }
        let paragraphs = Self.readme.joined(separator: "\n").split(separator: "\n\n")
        let paragraph = try #require(paragraphs.first { $0.hasPrefix("Exit status: ") })
        #expect(numbers(paragraph) == statuses)
        let help = try Executable.withHome { try $0("--help").text }
        let section = try #require(help.split(separator: "EXIT STATUS\n").dropFirst().first)
        #expect(numbers(try #require(section.split(separator: "\n\n").first)) == statuses)
    }

    /// The firmware's figures are those of the image that was built, but for another compiler's mood.
    @Test func theFootprintIsTheImages() throws {
        let image = try Firmware.microbit()
        let size = try Executable.withHome { provision in
            try provision.run(
                Executable.packageRoot.appending(path: "Scripts/firmware-size"), [image])
        }
        try #require(size.status == 0, "\(size.standardError)")
        let shown = try #require(Self.readme.first { $0.hasPrefix("    text ") })
        let (claims, facts) = (Self.numbers(in: shown), Self.numbers(in: size.text))
        #expect(claims.count == 4 && facts.count == 4)
        for (claim, fact) in zip(claims, facts) {
            #expect(abs(claim - fact) <= fact / 50, "the README says \(shown), it is \(size.text)")
        }
    }

    private static func numbers(in text: String) -> [Int] {
        text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    private static func isDeviceID(_ word: String) -> Bool {
        word.count == 16 && word.allSatisfy(\.isHexDigit)
    }
}
