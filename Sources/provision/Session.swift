import Channels
import Foundation
import Platforms
import Provisioning
import Registry

/// What every command that talks to a board needs, made once.
struct Session {
    let state: State
    let interruption: Interruption
    let reporter: ProgressReporter

    init(isVerbose: Bool) throws(ProvisioningError) {
        state = try State()
        let interruption = try Interruption.handlingSignals()
        PluginHost.current.watch { interruption.interrupt() }
        SQLiteRegistry.endWaits { interruption.isInterrupted }
        self.interruption = interruption
        reporter = ProgressReporter(isVerbose: isVerbose)
    }

    func platform(_ options: PlatformOptions) throws(ProvisioningError) -> Platform {
        try PlatformCatalogue(
            requested: options.folders, package: options.packagePath,
            environment: ProcessInfo.processInfo.environment
        ).platform(named: options.platform)
    }

    func board(
        _ platform: Platform, _ connection: ConnectionOptions, packagePath: String,
        log: LogSource? = nil
    ) -> Board {
        Board(
            platform, connection, packagePath: packagePath, stateDirectory: state.directory.path,
            interruption: interruption, reporter: reporter, log: log)
    }

    /// Runs `body`; whatever it throws, the board is let go and the progress line is ended.
    func with<Result>(_ board: Board, _ body: () throws -> Result) throws -> Result {
        do {
            try board.start()
            let result = try body()
            try board.stop()
            return result
        } catch {
            reporter.abandon()
            // A board that is gone is silent, or its port is; why it is gone says more.
            let cause = board.emulatorFailure
            let failure = (error as? ProvisioningError).map(board.explained)
            do {
                try board.stop()
            } catch {
                // The first error is the cause; this one must not hide it.
                Terminal.standardError.report(error)
            }
            let silences: [ErrorCode?] = [
                .deviceSilent, .noAnswer, .channelClosed, .channelUnavailable, .probeUnavailable,
            ]
            if let cause, silences.contains(failure?.code) { throw cause }
            throw failure ?? error
        }
    }
}
