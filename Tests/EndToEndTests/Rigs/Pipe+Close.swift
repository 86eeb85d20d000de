import Foundation

extension Pipe {
    /// Both ends, once the process has ended: Foundation keeps them for as long as the tests run.
    func close() {
        try? fileHandleForReading.close()
        try? fileHandleForWriting.close()
    }
}
