import ArgumentParser
import Attestation
import Channels
import Foundation
import Platforms
import Provisioning

/// Where the log of a device comes from that only reports.
enum LogSource: Equatable {
    /// The platform's channel.
    case channel
    /// What the platform's flash command prints, which goes on running.
    case flasher
    case standardInput
    /// A file, a pipe with a name, a tty.
    case path(String, follows: Bool)
    /// A tool that listens, such as OpenOCD's RTT server.
    case socket(ProbeEndpoint)
    /// A tool that connects to this computer, as cargo-embed does.
    case listener(host: String, port: UInt16)

    /// Nil where `text` names no address: a file, which `./` in front makes of any name.
    ///
    /// - Throws: `.usage`, quoting an address that is none.
    init?(address text: String) throws(ProvisioningError) {
        guard let scheme = Self.schemes.first(where: text.hasPrefix) else { return nil }
        let address = "tcp:" + text.dropFirst(scheme.count)
        guard case .tcp(let host, let port)? = try? ProbeEndpoint(parsing: address) else {
            throw ProvisioningError(
                .usage, "no address for a log: \"\(text)\"",
                hint: "write --log \(scheme)HOST:PORT; a file of this name is ./\(text)")
        }
        self =
            scheme == "listen:"
            ? .listener(host: host, port: port) : .socket(.tcp(host: host, port: port))
    }

    private static let schemes = ["tcp:", "listen:"]
}

/// For devices that only print a line with their key.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only read the device's log, for the line that reports its key: a file, - for standard input, channel, flasher for what the flash command prints, tcp:HOST:PORT to connect to, or listen:HOST:PORT for a tool that connects there, as cargo-embed does; listen::PORT is this computer's own; of several that connect, the first that says something is heard, until it leaves. A file of such a name is ./NAME.",
            valueName: "source"),
        completion: .file())
    var log: String?

    @Flag(help: "Read a file with --log on as it grows; run always does.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Where the credentials of a device go that can't be given any; with --credentials.",
            valueName: "folder"),
        completion: .directory)
    var outputCredentials: String?

    func validate() throws {
        if log == "" { throw ValidationError("--log names nothing") }
        if outputCredentials == "" { throw ValidationError("--output-credentials names no folder") }
        guard follow else { return }
        guard let log, !["-", "channel", "flasher"].contains(log), !Self.isAddress(log) else {
            throw ValidationError("--follow is for a file with --log")
        }
    }

    /// Whether the log does not come through the board's own channel.
    var isElsewhere: Bool { log.map { $0 != "channel" } ?? false }

    /// Also of one that is wrong: `source` says how.
    private static func isAddress(_ text: String) -> Bool {
        do throws(ProvisioningError) {
            return try LogSource(address: text) != nil
        } catch {
            return false
        }
    }

    /// A log tells of one board, unless it is each board's own channel.
    func check(isForSeveral: Bool) throws {
        guard isForSeveral, log != nil || outputCredentials != nil else { return }
        throw ValidationError("--log and --output-credentials are for one board")
    }

    /// Nil: the device is asked.
    ///
    /// - Parameter isFlashing: what a file held before is not what the device says after it.
    func source(for choice: BoardChoice, isFlashing: Bool) throws(ProvisioningError) -> LogSource? {
        let platform = choice.platform
        let source: LogSource
        switch log {
        case nil:
            guard let report = platform.report else {
                guard outputCredentials == nil else {
                    throw ProvisioningError(
                        .usage, "--output-credentials is for a device that only reports",
                        hint: "this one gets its credentials; export writes copies")
                }
                return nil
            }
            source = report.source == .flasher ? .flasher : .channel
        case "-": source = .standardInput
        case "channel": source = .channel
        case "flasher": source = .flasher
        case let text?:
            source = try LogSource(address: text) ?? .path(text, follows: follow || isFlashing)
        }
        guard case .monitor = choice.flash else {
            guard source != .flasher else {
                throw ProvisioningError(
                    .usage, "the flash command of \(platform.name) does not go on running",
                    hint: "if it prints the log, its file needs monitor = true in [flash] and "
                        + "from = \"flasher\" in [report]")
            }
            return source
        }
        guard !isFlashing || source == .flasher else {
            throw ProvisioningError(
                .usage,
                "the flash command of \(platform.name) goes on running, and prints the log itself",
                hint: "leave --log away, or do not flash: provision enroll")
        }
        return source
    }

    /// What a device that only reports gets nothing of: by default there are none.
    func plan(
        _ options: CredentialOptions, for platform: Platform, _ connection: Connection,
        _ source: LogSource
    ) throws -> ProvisioningPlan {
        var plan = try options.plan(for: platform, connection)
        plan.credentials = options.credentials ?? []
        plan.reportFormats = platform.report?.formats ?? Set(ReportFormat.allCases)
        plan.deadlines.report = platform.timeouts.boot
        // It flashes first.
        if source == .flasher { plan.deadlines.report += platform.timeouts.flash }
        guard plan.credentials.isEmpty == (outputCredentials == nil) else {
            throw ProvisioningError(
                .usage,
                outputCredentials == nil
                    ? "the device only reports: it can't be given credentials"
                    : "--output-credentials has nothing to write",
                hint: "name what to sign with --credentials, and where it goes with "
                    + "--output-credentials")
        }
        return plan
    }
}
