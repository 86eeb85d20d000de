import Foundation

extension Executable {
    /// Writes the file of a platform of the test's own into the home.
    ///
    /// - Parameter text: all but its name, its description and its board.
    /// - Returns: the arguments that name it.
    @discardableResult
    func platform(_ name: String, board: String = "native", _ text: String) throws -> [String] {
        let head = """
            name = "\(name)"
            description = "a board of my own"
            board = "\(board)"

            """
        try Data((head + text).utf8).write(to: home.appending(path: "\(name).toml"))
        return ["--platform", name, "--platforms", home.path]
    }
}
