import Foundation
import Platforms
import Provisioning

/// What `--dry-run` prints for several boards: which ones, and how each is reached.
struct FleetPreview {
    private let boards: [FleetBoard]

    init(_ boards: [FleetBoard]) { self.boards = boards }

    private struct Line: Encodable {
        let board: String
        let platform: String
        let port: String?
        let probe: String?
        let instance: String?
    }

    func show(in document: ResultDocument) throws {
        let lines = boards.map { board in
            let connection = board.choice.connection
            return Line(
                board: board.name, platform: board.choice.platform.name,
                port: connection.serialPort, probe: connection.probe,
                instance: connection.instance)
        }
        var table = Table("BOARD", "PLATFORM", "REACHED BY")
        for (line, board) in zip(lines, boards) {
            table.append(line.board, line.platform, board.places.joined(separator: ", "))
        }
        try document.show(["boards": lines], text: table.text)
    }
}
