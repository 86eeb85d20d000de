/// The program that a script's first line names, execve(2): `#!/usr/bin/env python3`.
struct ScriptInterpreter {
    /// As it stands there, a carriage return included.
    let path: String

    /// Linux reads no more of a file to find it. Bytes.
    private static let maximumLength = 256

    /// - Returns: nil for what is no script, or can't be read.
    init?(of script: String) {
        guard let bytes = try? FileBytes.readStart(script, limit: Self.maximumLength),
            bytes.starts(with: "#!".utf8)
        else { return nil }
        let line = bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = words.first else { return nil }
        path = String(decoding: first, as: UTF8.self)
    }
}
