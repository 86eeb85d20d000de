import CHost

/// The foreground of the terminal on standard input, where this process took it from another process
/// group, to which it returns in the end, also by a signal that ends the process.
public enum TerminalForeground {
    /// The process group that had it.
    public static func setOwner(_ group: Int32) { chost_foreground_set_owner(group) }

    /// Idempotent.
    public static func giveBack() { chost_foreground_return() }
}
