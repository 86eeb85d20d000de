import Foundation
import Testing

/// A board that the tool knows only from a platform file of the user's, flashed by a command of theirs.
@Suite struct ExternalFlasherTests {
    private func platform(command: String, in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            name = "mine"
            description = "a board of my own"
            board = "native"
            chip = "nRF51822"

            [flash]
            method = "command"
            command = \(command)

            [channel]
            kind = "uart"
            """
        try Data(text.utf8).write(to: folder.appending(path: "mine.toml"))
    }

    @Test func theCommandGetsWhatItsPlaceholdersName() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "my platforms – ä")
            let seen = provision.home.appending(path: "seen").path
            // printf prints each argument on a line of its own, into the file that sh opened.
            try platform(
                command: """
                    ["/bin/sh", "-c", 'printf "%s\\n" "$@" > "$0"', "\(seen)", "--image={image}",
                     "--chip={chip}", "--port={port}", "--probe={probe}"]
                    """, in: folder)
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let result = try provision(
                "run", "--platform", "mine", "--platforms", folder.path, "--firmware", image,
                "--port", board.port, "--probe-serial", "0123", "--detach", "--json")
            #expect(result.status == 0, "\(result.standardError)")
            let arguments = try String(contentsOfFile: seen, encoding: .utf8)
            #expect(
                arguments == """
                    --image=\(image)
                    --chip=nRF51822
                    --port=\(board.port)
                    --probe=0123

                    """)
            #expect(try result.json()["imageDigest"] is String)
        }
    }

    /// As under a parent that has SIGCHLD ignored. Of the shells, bash can do that.
    @Test(arguments: [("/bin/true", 0), ("/bin/false", 4)] as [(String, Int32)])
    func itsStatusIsKnownWhateverTheParentIgnores(_ program: String, _ status: Int32) throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "platforms")
            try platform(command: "[\"\(program)\", \"{image}\"]", in: folder)
            let image = provision.home.appending(path: "image")
            try Data([1]).write(to: image)
            let result = try provision(
                in: Surrounding(
                    "no SIGCHLD", "/usr/bin/env", "bash", "-c", #"trap "" CHLD; exec "$0" "$@""#),
                [
                    "flash", "--platform", "mine", "--platforms", folder.path, "--firmware",
                    image.path,
                ])
            #expect(result.status == status, "\(result.standardError)")
            guard status != 0 else { return }
            result.expectError("flash-failed", status: 4, "ended with status 1")
        }
    }

    @Test func itsStatusIsChecked() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "platforms")
            try platform(
                command: #"["/bin/sh", "-c", "echo no target >&2; exit 3", "{image}"]"#, in: folder)
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let result = try provision(
                "run", "--platform", "mine", "--platforms", folder.path, "--firmware", image,
                "--port", board.port, "--detach")
            #expect(result.status == 4)
            #expect(result.standardError.contains("error[flash-failed]"))
            #expect(result.standardError.contains("no target"))
            #expect((try provision("keys", "--json").json()["keys"] as? [Any])?.isEmpty == true)
        }
    }
}
