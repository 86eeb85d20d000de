import CHost

/// A file that is of no use until it is finished, and is removed by a signal that ends the process. One at
/// a time.
public enum UnfinishedFile {
    public static func begin(_ path: String) { chost_unfinished_file_begin(path) }
    public static func end() { chost_unfinished_file_end() }
}
