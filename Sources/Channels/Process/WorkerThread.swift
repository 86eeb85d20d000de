import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A thread that says whether it could be made. Foundation's doesn't, and whoever waits for its end waits for
/// ever where the system gives no more threads.
package enum WorkerThread {
    /// Runs `body` on a thread of its own.
    ///
    /// - Parameter name: what debuggers show.
    /// - Returns: false if there is none: `body` doesn't run.
    package static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let work = Unmanaged.passRetained(
            Work {
                Thread.current.name = name
                body()
            })
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let error = pthread_create(
            &thread, &attributes,
            { argument in
                #if canImport(Glibc)
                    guard let argument else { return nil }
                #endif
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if error != 0 { work.release() }
        return error == 0
    }
}

private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
