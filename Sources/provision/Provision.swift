import ArgumentParser
import CHost
import Channels
import Foundation
import Platforms
import OpenSSL
import Provisioning

/// The composition root: the only place that knows every adapter.
@main
struct Provision: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision",
        abstract: "Flash a board, give the key that it made a certificate, attach the console.",
        discussion: """
            The device makes its own key pair on first start. `provision` collects the public key, \
            checks the proof of possession, records the key in a local registry, revokes the device's \
            earlier keys and pushes a signed credential back.

            EXAMPLES
              provision --platform microbit-qemu           build, flash, provision, attach
              provision run --platform microbit --port /dev/ttyACM0 --firmware app.elf
              provision boards                              what is attached
              provision devices                             which boards are ours
              provision revoke --device 1f0c22ab90de4411 --reason key-compromise
              provision export --format crl --output crl.pem
              provision doctor                              what is missing on this machine

            EXIT STATUS
              0 done, 2 usage, 3 build, 4 flash, 5 no device, 6 protocol, 7 evidence refused, \
            8 registry, 9 authority, 10 install or confirm, 70 a fault of this program, \
            130 interrupted; doctor and check: 1 something is wrong.
            """,
        version: Version.current,
        subcommands: [
            RunCommand.self, FlashCommand.self, EnrollCommand.self, AttachCommand.self,
            BoardsCommand.self, DevicesCommand.self, KeysCommand.self, RevokeCommand.self,
            ExportCommand.self,
            RegistryCommand.self, AuthorityCommand.self, PlatformsCommand.self, CheckCommand.self,
            EmulateCommand.self, InitCommand.self, DoctorCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        Terminal.holdDescriptors()
        _ = PluginHost.current
        if isDocumentAsked { ErrorDocument.printsOnSignals() }
        Interruption.exitsOnSignals()
        forbidCoreFile()
        chost_return_large_blocks()
        chost_widen_descriptor_table()
        // A write beyond the limit on file sizes is an error with a hint, not the end of this process.
        signal(SIGXFSZ, SIG_IGN)
        // Whoever started this process may have it ignored, and then nobody learns how a command ended.
        signal(SIGCHLD, SIG_DFL)
        let status = perform(Array(CommandLine.arguments.dropFirst()))
        Terminal.finish()
        TerminalForeground.giveBack()
        if status == ErrorCode.interrupted.exitStatus { PluginHost.current.interrupt() }
        Foundation.exit(status)
    }

    /// The authority's keys are in this process's memory.
    private static func forbidCoreFile() {
        // Only glibc has a type of its own for it.
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        #else
            let resource = RLIMIT_CORE
        #endif
        var limit = rlimit()
        getrlimit(resource, &limit)
        limit.rlim_cur = 0
        setrlimit(resource, &limit)
    }

    /// Swift would go on with other names than those that the user gave.
    private static func checkEncoding() throws(ProvisioningError) {
        for position in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[position],
                String(validatingCString: argument) == nil
            else { continue }
            throw ProvisioningError(
                .usage,
                "argument \(position) is not UTF-8: \"\(String(cString: argument))\"",
                hint: "a file may be given by another name: make a link to it")
        }
    }

    /// Runs one command, prints what went wrong, and returns the exit status.
    private static func perform(_ arguments: [String]) -> Int32 {
        do {
            try checkEncoding()
            // Build scripts ask for it often, and to build the tree of commands takes half of the time.
            if arguments == ["--version"] {
                Terminal.standardOutput.write(Version.current + "\n")
            } else {
                CryptographicLibrary.staysToTheEnd()
                try checkCommand(arguments)
                try GivenOptions.checkRepetition(arguments, of: Self.self)
                let isNamed = arguments.first.map(configuration.subcommands.names.contains) == true
                var command =
                    try isNamed
                    ? NamedCommand.parseAsRoot(arguments) : parseAsRoot(arguments)
                try GivenOptions.checkValues(arguments, of: Self.self)
                try command.run()
            }
            return reportLossOfOutput()
        } catch let error as ProvisioningError {
            return report(error)
        } catch {
            return report(error)
        }
    }

    private static func reportLossOfOutput() -> Int32 {
        Terminal.lossOfOutput.map { report(Terminal.unwritable($0)) } ?? 0
    }

    private static let isDocumentAsked = ErrorDocument.isAsked(
        in: Array(CommandLine.arguments.dropFirst()))

    private static func report(_ error: ProvisioningError) -> Int32 {
        // Whoever read the document may be gone: the status tells, too.
        signal(SIGPIPE, SIG_IGN)
        if isDocumentAsked { ErrorDocument.print(error) }
        ResultDocument.replaceReport(
            namedIn: Array(CommandLine.arguments.dropFirst()), with: error)
        Terminal.standardError.report(error)
        return error.code.exitStatus
    }

    /// A word that is no command would go to the default one, which then misses its --platform; behind
    /// `help` nobody would look at it.
    private static func checkCommand(_ arguments: [String]) throws(ProvisioningError) {
        guard let first = arguments.first, !first.hasPrefix("-") else { return }
        guard first == "help" else {
            if configuration.subcommands.command(named: first) == nil {
                throw unknownCommand(first, among: configuration.subcommands.names + ["help"])
            }
            return
        }
        var commands = configuration.subcommands
        for word in arguments.dropFirst() where !word.hasPrefix("-") {
            guard let command = commands.command(named: word) else {
                throw unknownCommand(word, among: commands.names)
            }
            commands = command.configuration.subcommands
        }
    }

    private static func unknownCommand(_ word: String, among known: [String]) -> ProvisioningError {
        let nearest = word.nearest(among: known).map { "did you mean \($0)? " } ?? ""
        return ProvisioningError(
            .usage, "there is no command \"\(word)\"",
            hint: known.isEmpty
                ? "see provision help" : nearest + "known: \(known.joined(separator: ", "))")
    }

    /// Help and version are no failures; what ArgumentParser refuses is wrong usage; the rest is a
    /// fault of this program.
    private static func report(_ error: any Error) -> Int32 {
        if let exit = error as? ExitCode { return exit.rawValue }
        let text = fullMessage(for: error)
        switch exitCode(for: error) {
        case .success:
            Terminal.standardOutput.write(text + "\n")
            return reportLossOfOutput()
        case .validationFailure:
            let usage = UsageMessage(message(for: error), in: text)
            let status = report(usage.error)
            Terminal.standardError.write(usage.synopsis)
            return status
        default:
            return report(ProvisioningError(.internalFailure, "\(error)"))
        }
    }
}

/// The same commands, and none by default. On the way to any command ArgumentParser looks through all options of the
/// default one; in a debug build, which checks them each time, that is most of a short run.
private struct NamedCommand: ParsableCommand {
    static let configuration: CommandConfiguration = {
        var configuration = Provision.configuration
        configuration.defaultSubcommand = nil
        return configuration
    }()
}

extension [any ParsableCommand.Type] {
    fileprivate var names: [String] { compactMap { $0.configuration.commandName } }

    fileprivate func command(named name: String) -> (any ParsableCommand.Type)? {
        first { $0.configuration.commandName == name }
    }
}
