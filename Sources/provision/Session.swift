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
        Terminal.endWaits { interruption.isInterrupted }
        self.interruption = interruption
        reporter = ProgressReporter(isVerbose: isVerbose)
    }

    /// For one of several boards, on a thread of its own.
    init(state: State, interruption: Interruption, reporter: ProgressReporter) {
        self.state = state
        self.interruption = interruption
        self.reporter = reporter
    }

    /// The board that is meant, and a word about what the user did not say. One that is named and not there yet is
    /// waited for.
    ///
    /// - Parameters:
    ///   - isFlashing: whether a flash tool will be run.
    ///   - given: the one that the user gave; nil: the platform's.
    ///   - isPreview: whether nothing will be done, and so nothing is waited for.
    ///   - usesChannel: false where all that is known of the board comes from elsewhere.
    func choice(
        _ options: PlatformOptions, _ connection: Connection, isFlashing: Bool = false,
        given: GivenFlash? = nil, isPreview: Bool = false, usesChannel: Bool = true
    ) throws(ProvisioningError) -> BoardChoice {
        let platform = try options.namedPlatform(
            interruption, within: connection.link.timeouts[.connect])
        if !isPreview {
            let awaited = try AwaitedPlace(
                connection, of: platform,
                among: { () throws(ProvisioningError) in try options.consideredPlatforms() },
                isFlashing: isFlashing, given: given)
            try awaited?.wait(interruption)
        }
        let choice = try options.desk(
            beside: platform, stateDirectory: state.directory.path
        ).choice(
            platform, connection, isFlashing: isFlashing, given: given, usesChannel: usesChannel)
        if let remark = choice.remark { Terminal.standardError.remark(remark) }
        return choice
    }

    /// - Parameter isFlashing: whether this run flashes it.
    func board(
        _ choice: BoardChoice, packagePath: String, isFlashing: Bool, log: LogSource? = nil
    ) -> Board {
        Board(
            choice.platform, choice.connection, packagePath: packagePath,
            stateDirectory: state.directory.path, interruption: interruption, reporter: reporter,
            isFlashing: isFlashing, log: log, given: choice.given,
            probeNumbers: choice.probeNumbers,
            listPorts: { SerialPorts.list().filter(choice.scope.admits) })
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
            let error = interruption(behind: error, board) ?? error
            // A board that is gone is silent, or its port is; why it is gone says more.
            let cause = board.emulatorFailure
            let failure = (error as? ProvisioningError).map(board.explained)
            do {
                try board.stop()
            } catch {
                // The first error is the cause; this one must not hide it.
                reporter.failed(error)
            }
            let silences: [ErrorCode?] = [
                .deviceSilent, .noAnswer, .channelClosed, .channelUnavailable, .probeUnavailable,
            ]
            if let cause, silences.contains(failure?.code) { throw cause }
            throw failure ?? error
        }
    }

    /// The user's wish to stop, where it is what ended the log or the tool behind the channel: a terminal's Ctrl-C is
    /// for all programs of a pipeline, and another one may hear it, and end, before this one.
    private func interruption(behind error: any Error, _ board: Board) -> ProvisioningError? {
        let ends: [ErrorCode] =
            board.log == nil
            ? [.channelClosed]
            : [.channelClosed, .channelUnavailable, .reportMissing, .evidenceMalformed]
        guard let error = error as? ProvisioningError, ends.contains(error.code) else { return nil }
        do {
            try interruption.pause(for: Self.signalDelay)
            return nil
        } catch {
            return error
        }
    }

    /// No time-out: nothing fails when it is over.
    private static let signalDelay = Duration.milliseconds(100)
}
