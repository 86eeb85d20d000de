import ArgumentParser
import Foundation
import Provisioning

struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "The device's console: its log, and what you type.",
        discussion: """
            Frames of the device protocol are left out. Ctrl-C or Ctrl-] leaves; without a terminal as \
            input it only reads.

            EXAMPLES
              provision attach --platform microbit
              provision attach --platform microbit --port /dev/ttyACM0 --baud 115200
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var connection: ConnectionOptions

    mutating func run() throws {
        let defaults = try Defaults(packagePath: platform.packagePath)
        try defaults.fill(&platform)
        try defaults.fill(&connection)
        let session = try Session(isVerbose: false)
        let choice = try session.choice(platform, connection.connection)
        let board = session.board(choice, packagePath: platform.packagePath, isFlashing: false)
        try board.checkConsole()
        try session.with(board) {
            try board.checkDevice()
            let channel = try board.openConsole()
            defer { channel.close() }
            try Attachment(session, choice).run(channel)
        }
    }
}
