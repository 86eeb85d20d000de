import Foundation

extension String {
    /// The folder of this path, as `dirname` gives it: "." of a bare name. Nothing is looked up.
    ///
    /// NSString's own ends the process for a name of one character: Swift 6.3 on Linux.
    package var containingFolder: String {
        URL(filePath: self).deletingLastPathComponent().relativePath
    }
}
