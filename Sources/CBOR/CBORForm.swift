/// Which encodings of a data item the decoder takes.
public enum CBORForm: Hashable, Sendable {
    /// Any well-formed and valid encoding, RFC 8949 §5.3: indefinite lengths and lengths that are
    /// not the shortest too. Duplicate map keys and text that is not UTF-8 are refused.
    case wellFormed
    /// The one encoding that `CBORValue.encoded()` makes, RFC 8949 §4.2.1.
    case deterministic
}
