extension Unicode.Scalar {
    /// Whether foreign text may show it, in a table, a message, a certificate's subject or a file's name: it
    /// controls no terminal, and neither breaks nor turns what stands around it.
    ///
    /// The one judgement of all who show names and text from devices, USB, tools and users. A console
    /// has colours and line ends besides.
    package var isPrintable: Bool {
        // Most of what is shown; the properties take a search in a table.
        if isASCII { return (0x20..<0x7F).contains(value) }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            false
        default: true
        }
    }
}
