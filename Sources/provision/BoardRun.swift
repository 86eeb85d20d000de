import Authority
import Channels
import Provisioning
import Registry

/// Provisions boards, one at a time or side by side: what `run` and `enroll` do.
struct BoardRun: Sendable {
    let state: RunState
    let credentials: CredentialOptions
    private let packagePath: String
    var erases = false
    /// Where the log is read of a board that only reports.
    var logs = LogOptions()

    init(_ session: Session, _ credentials: CredentialOptions, packagePath: String) {
        state = RunState(session.state, acceptsClock: credentials.acceptClock)
        self.credentials = credentials
        self.packagePath = packagePath
    }

    /// Refuses what can't be done, as far as that shows while nothing is made, claimed or touched: a run that was
    /// mistyped leaves no authority behind.
    func check(_ choice: BoardChoice, isFlashing: Bool, _ session: Session) throws {
        let log = try logs.source(for: choice, isFlashing: isFlashing)
        if let log {
            _ = try logs.plan(credentials, for: choice.platform, choice.connection, log)
            if let folder = logs.outputCredentials {
                try ExportDestination.check(folder: folder, option: "--output-credentials")
            }
        }
        let board = session.board(
            choice, packagePath: packagePath, isFlashing: isFlashing, log: log)
        if isFlashing { try board.checkFlashStep() }
        try board.checkPresence(isFlashing: isFlashing)
    }

    /// Opens registry and authority, unless each of the boards is refused: one that can't be used must be found out
    /// before anything is built, or a board is touched.
    func open(for boards: [FleetBoard], isFlashing: Bool, _ session: Session) throws {
        let isRefused = boards.allSatisfy { board in
            (try? check(board.choice, isFlashing: isFlashing, session)) == nil
        }
        if !isRefused { _ = try state.open() }
    }

    /// - Parameters:
    ///   - image: nil: the firmware runs already, or the command that flashes has its own.
    ///   - then: gets the record and the channel, still open, while the board is held; and what watches
    ///     the log on of one that only reports.
    func provision(
        _ choice: BoardChoice, _ image: FirmwareImage?, _ session: Session,
        then: (RunReport, any Channel, KeyWatch?) throws -> Void = { _, _, _ in }
    ) throws -> RunReport {
        let isFlashing = image != nil || choice.given != nil
        try check(choice, isFlashing: isFlashing, session)
        let opened = try state.open()
        let log = try logs.source(for: choice, isFlashing: isFlashing)
        let board = session.board(
            choice, packagePath: packagePath, isFlashing: isFlashing, log: log)
        board.image = image
        return try session.with(board) {
            if let log {
                return try hear(choice, image, board, log, opened, session, then: then)
            }
            let plan = try credentials.plan(for: choice.platform, choice.connection)
            let outcome = try provisioner(
                plan, image, isFlashing: isFlashing, board, opened, session
            ).provision()
            defer { outcome.channel.close() }
            try board.save()
            let report = RunReport(
                outcome, registry: opened.registry.path, steps: session.reporter.durations)
            try then(report, outcome.channel, nil)
            return report
        }
    }

    /// What is to be done with the board, once it is known that it can be reached.
    func provisioner(
        _ plan: ProvisioningPlan, _ image: FirmwareImage?, isFlashing: Bool, _ board: Board,
        _ opened: RunState.Opened, _ session: Session
    ) throws -> Provisioner {
        var plan = plan
        plan.image = image
        plan.flashesOwnImage = isFlashing && image == nil
        plan.erases = erases
        if isFlashing { try board.checkChannel() }
        let probe = try board.deviceIDReader()
        try board.checkDeviceIsRead(by: probe, erasing: erases)
        return Provisioner(
            plan: plan, flasher: isFlashing ? try board.flasher() : nil,
            probe: probe, openChannel: board.openChannel, registry: opened.registry,
            issuer: opened.authority, surroundings: .system, observer: session.reporter)
    }
}

extension RunReport {
    /// What the summary of several boards says of each.
    static var columns: [(header: String, value: (RunReport) -> String)] {
        [
            ("DEVICE", { $0.device }),
            ("KEY", { String($0.thumbprint.prefix(16)) + ($0.isNewKey ? " (new)" : "") }),
        ]
    }
}
