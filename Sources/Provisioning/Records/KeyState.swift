/// Where a key stands in its life. `pending → active → revoked`, never back, but for an explicit
/// reinstatement that the log shows.
public enum KeyState: String, CaseIterable, Sendable, Hashable {
    /// Registered; the device has not yet proven that it holds its credential.
    case pending
    case active
    case revoked
}
