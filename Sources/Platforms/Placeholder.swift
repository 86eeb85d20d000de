/// What may stand in braces in a platform file's argument lists.
enum Placeholder: String, CaseIterable, Sendable {
    /// The folder of build products.
    case scratch
    /// The firmware package's folder.
    case package
    /// The image's path.
    case image
    /// The emulated board's own folder.
    case state

    /// The first `{word}` in `text` that is not one of `allowed`.
    static func firstUnknown(in text: String, allowed: [Placeholder]) -> String? {
        for piece in text.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
            guard let end = piece.firstIndex(of: "}") else { continue }
            let word = piece[..<end]
            let isWord = !word.isEmpty && word.allSatisfy { $0.isLetter || $0 == "-" }
            if isWord, !allowed.contains(where: { $0.rawValue == word }) { return String(word) }
        }
        return nil
    }

    /// `text` with the values in place of their placeholders. Values are not looked into again.
    static func fill(_ text: String, with values: [Placeholder: String]) -> String {
        var result = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            rest = rest[open...]
            guard let (placeholder, value) = values.first(where: { rest.hasPrefix("{\($0.key)}") })
            else {
                result.append(rest.removeFirst())
                continue
            }
            result += value
            rest.removeFirst(placeholder.rawValue.count + 2)
        }
        return result + rest
    }
}
