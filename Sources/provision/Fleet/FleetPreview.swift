import Foundation
import Platforms
import Provisioning

/// What `--dry-run` prints for several boards: which ones, and how each is reached.
struct FleetPreview {
    private let boards: [FleetBoard]
    private let output: OutputOptions

    init(_ boards: [FleetBoard], _ output: OutputOptions) {
        self.boards = boards
        self.output = output
    }

    private struct Line: Encodable {
        let board: String
        let platform: String
        let port: String?
        let probe: String?
        let instance: String?
    }

    func print() throws {
        let lines = boards.map { board in
            let connection = board.choice.connection
            return Line(
                board: board.name, platform: board.choice.platform.name, port: connection.port,
                probe: connection.probe, instance: connection.instance)
        }
        if output.json { return try JSONDocument.print(["boards": lines]) }
        var table = Table("BOARD", "PLATFORM", "REACHED BY")
        for (line, board) in zip(lines, boards) {
            table.append(line.board, line.platform, board.places.joined(separator: ", "))
        }
        Terminal.standardOutput.write(table.text)
    }
}
