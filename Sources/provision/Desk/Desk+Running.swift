import Platforms
import Provisioning

extension Desk {
    /// How the emulated board is reached that somebody runs already, with what the user said. Unchanged where none
    /// runs: one may be started.
    ///
    /// - Throws: `.boardAmbiguous`, where several run and the user named none of them.
    func reachingRunning(
        _ platform: Platform, _ connection: Connection
    ) throws(ProvisioningError) -> Connection {
        guard connection.port == nil, connection.probe == nil else { return connection }
        let boards = running.filter { board in
            board.endpoints?.platform == platform.name
                && Self.isMeant(board, of: platform, connection)
        }
        guard boards.count <= 1 else {
            throw ProvisioningError(
                .boardAmbiguous,
                "\(boards.count) boards of \(platform.name) are running: "
                    + boards.map { "\($0.instance) at \($0.endpoints?.port ?? "")" }
                    .joined(separator: ", "),
                hint: "choose one: "
                    + boards.map { "--instance \($0.instance)" }.joined(separator: " or "))
        }
        guard let board = boards.first, let endpoints = board.endpoints else { return connection }
        var connection = connection
        connection.instance = board.instance
        connection.foundPort = endpoints.port
        connection.probe = endpoints.probe
        return connection
    }

    /// A board with a memory of its own, which can be started at any time, is not taken for another one.
    private static func isMeant(
        _ board: RunningInstance, of platform: Platform, _ connection: Connection
    ) -> Bool {
        if let name = connection.instance { return board.instance == name }
        guard case .qemu = platform.emulation else { return true }
        return board.instance == Emulator.instanceName(of: platform)
    }
}
