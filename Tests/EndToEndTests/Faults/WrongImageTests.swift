import Foundation
import Testing

/// Images that are not this board's firmware: refused with what they are, before anything is written
/// where that can be known.
@Suite struct WrongImageTests {
    /// What stands in the file, and what the error says of it.
    enum Content: String, CaseIterable {
        case missing = "No such file"
        case folder = "Is a directory"
        case empty = "is empty"
        case text = "no ELF file"
        case cutShort = "are missing: it ends at 3000"
        case programOfThisComputer = "not an executable"

        func path(in folder: URL) throws -> String {
            let file = folder.appending(path: "wrong image – ä.elf")
            switch self {
            case .missing: break
            case .folder:
                try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
            case .empty: try Data().write(to: file)
            case .text: try Data("hello, this is no firmware".utf8).write(to: file)
            case .cutShort:
                let image = try Data(contentsOf: URL(filePath: Firmware.microbit()))
                try image.prefix(3000).write(to: file)
            case .programOfThisComputer: return try Firmware.native()
            }
            return file.path
        }
    }

    @Test(arguments: Content.allCases) func anImageThatIsNone(content: Content) throws {
        try Executable.withHome { provision in
            let path = try content.path(in: provision.home)
            let result = try provision(
                "run", "--platform", "microbit-qemu", "--firmware", path, "--detach")
            result.expectError("image-invalid", status: 3, content.rawValue)
            #expect(try provision.keys().isEmpty)
        }
    }

    @Test(arguments: [Content.missing, .folder, .empty, .text, .cutShort])
    func aProgramThatIsNone(content: Content) throws {
        try Executable.withHome { provision in
            let path = try content.path(in: provision.home)
            let result = try provision(
                "run", "--platform", "native", "--firmware", path, "--detach")
            let isRead = [.missing, .folder, .empty].contains(content)
            result.expectError(
                isRead ? "image-invalid" : "emulator-failed", status: isRead ? 3 : 5,
                isRead ? content.rawValue : "cannot be run")
            try provision.expectToContinue()
        }
    }

    /// An image that starts elsewhere, or in the key store, or for another processor: what the device
    /// had before is there afterwards.
    @Test func anImageForAnotherPlaceOrProcessor() throws {
        let image = try Data(contentsOf: URL(filePath: Firmware.microbit()))
        try Executable.withHome { provision in
            func run(_ path: String) throws -> Executable.Result {
                try provision(
                    "run", "--platform", "microbit-qemu", "--firmware", path, "--detach", "--json")
            }
            let before = try run(Firmware.microbit())
            #expect(before.status == 0, "\(before.standardError)")
            let key = try #require(try before.json()["thumbprint"] as? String)

            func changed(_ name: String, _ change: (inout [UInt8]) -> Void) throws -> String {
                var bytes = [UInt8](image)
                change(&bytes)
                let file = provision.home.appending(path: name)
                try Data(bytes).write(to: file)
                return file.path
            }
            // System V ABI, "ELF Header": e_machine is at 18, and 243 is RISC-V.
            let foreign = try run(changed("riscv.elf") { $0[18...19] = [243, 0] })
            foreign.expectError("image-invalid", status: 3, "for RISC-V", "attached to Arm")
            let inKeys = try run(changed("keys.elf") { Self.move(&$0, to: 0x3B000) })
            inKeys.expectError(
                "image-invalid", status: 3, "at 0x3b000", "keeps keys in 16384 bytes at 0x3b000")
            // No memory is there: what is written is gone, and reading back finds it out.
            let nowhere = try run(changed("nowhere.elf") { Self.move(&$0, to: 0x9000_0000) })
            nowhere.expectError("flash-failed", status: 4, "0x90000000")

            let after = try run(Firmware.microbit())
            #expect(try after.json()["thumbprint"] as? String == key)
            #expect(try after.json()["isNewKey"] as? Bool == false)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// Gives the first segment of a 32-bit ELF file another physical address.
    private static func move(_ file: inout [UInt8], to address: UInt32) {
        let headers = Int(file[28]) | Int(file[29]) << 8
        let count = Int(file[44])
        for header in (0..<count).map({ headers + $0 * 32 }) where file[header] == 1 {
            withUnsafeBytes(of: address.littleEndian) { bytes in
                file.replaceSubrange(header + 12..<header + 16, with: bytes)
            }
            return
        }
    }

    /// Firmware of another board starts nowhere, or says whose it is.
    @Test func anImageOfAnotherBoard() throws {
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", Firmware.native())
            defer { _ = board.interrupt() }
            let result = try provision(
                "enroll", "--platform", "microbit-qemu", "--port", board.port)
            result.expectError("id-mismatch", status: 7, "microbit", "native")
            #expect(try provision.keys().isEmpty)
        }
    }

    /// A whole image of another board with an Arm processor is flashed, and starts nowhere: what the device
    /// had before is there afterwards.
    @Test func theFirmwareOfAnotherArmBoard() throws {
        try Executable.withHome { provision in
            func run(_ image: String, _ more: String...) throws -> Executable.Result {
                try provision.run(
                    Executable.url,
                    [
                        "run", "--platform", "microbit-qemu", "--firmware", image, "--detach",
                        "--json",
                    ] + more)
            }
            func record() throws -> [String] {
                try [
                    provision("registry", "verify", "--json").text,
                    provision("keys", "--json").text,
                ]
            }
            let before = try run(Firmware.microbit())
            try #require(before.status == 0, "\(before.standardError)")
            let recorded = try record()

            let wrong = try run(Firmware.mps2(), "--timeout", "boot=3s")
            wrong.expectError("device-silent", status: 5, "say hello")
            #expect(wrong.standardError.contains("read back and compared"))
            #expect(wrong.hint?.contains("made for the board microbit") == true)
            #expect(try record() == recorded)

            let after = try run(Firmware.microbit())
            try #require(after.status == 0, "\(after.standardError)")
            for value in ["device", "thumbprint"] {
                #expect(try after.json()[value] as? String == before.json()[value] as? String)
            }
            #expect(try after.json()["isNewKey"] as? Bool == false)
            #expect(after.standardError.contains("nothing to send, the device holds everything"))
            #expect(try record() == recorded)
        }
    }

    /// It starts, and repeats what it hears.
    @Test func anImageWithoutTheDeviceLibrary() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--platform", "native", "--firmware", "/bin/cat", "--detach")
            result.expectError("no-answer", status: 5, "say hello")
            #expect(result.hint?.contains("device library") == true)
            try provision.expectToContinue()
        }
    }
}
