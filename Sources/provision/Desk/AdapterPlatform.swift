import Channels
import Platforms
import Provisioning

/// Platforms that only an adapter describes: a program is enough, without a file.
enum AdapterPlatform {
    /// Runs `provision-platform-NAME` to hear what it says of its platform.
    ///
    /// - Parameter timeout: for its start and its answer, if it is longer than the usual one.
    /// - Returns: nil if there is no such program.
    /// - Throws: what the adapter does wrong; `.platformInvalid`.
    static func ask(
        _ name: String, _ interruption: Interruption?, within timeout: Duration? = nil
    ) throws(ProvisioningError) -> Platform? {
        guard let program = AdapterProgram.find(name) else { return nil }
        // Without one, Ctrl-C ends this process, and the adapter with it.
        if let interruption { return try ask(program, interruption, within: timeout) }
        return try ask(program, Interruption(), within: timeout)
    }

    /// - Parameter error: that no platform file has the name.
    /// - Returns: the same, with a hint at an adapter of that name which is not run.
    static func missing(_ name: String, _ error: ProvisioningError) -> ProvisioningError {
        ProvisioningError(
            error.code, error.reason, hint: AdapterProgram.hint(for: name) ?? error.hint)
    }

    static func ask(
        _ program: AdapterProgram, _ interruption: Interruption, within timeout: Duration? = nil
    ) throws(ProvisioningError) -> Platform {
        var timeouts = AdapterSession.Timeouts()
        if let timeout { timeouts.start = max(timeouts.start, timeout) }
        let session = AdapterSession(
            try AdapterProcess(program, interruption: interruption) { _ in }, timeouts: timeouts)
        defer { session.end() }
        let description = try session.hello()
        return try Platform(description, of: program)
    }
}

extension PlatformCatalogue {
    /// A platform file's, or else that of an adapter on `PATH`.
    func platform(
        named name: String, orAskingWith interruption: Interruption?,
        within timeout: Duration? = nil
    ) throws(ProvisioningError) -> Platform {
        do {
            return try platform(named: name)
        } catch {
            guard error.code == .platformUnknown else { throw error }
            if let platform = try AdapterPlatform.ask(name, interruption, within: timeout) {
                return platform
            }
            throw AdapterPlatform.missing(name, error)
        }
    }
}
