extension Unicode.Scalar {
    /// Whether foreign text may show it, in a table, a message, a certificate's subject or a file's name: it
    /// controls no terminal, and neither breaks nor turns what stands around it.
    ///
    /// The one judgement of all who read names from devices, USB, tools and users. Only the console is of
    /// another mind: it shows whole streams, with colours and with characters that join others.
    package var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            false
        default: true
        }
    }
}
