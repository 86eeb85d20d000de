import ArgumentParser
import Foundation
import Provisioning

/// An option that takes one value and is given twice. ArgumentParser takes the last one without a word: of two
/// devices that are to be revoked, one would stay good.
enum RepeatedOption {
    /// What ArgumentParser tells of a command, as far as it is needed here.
    private struct Description: Decodable {
        struct Command: Decodable {
            let commandName: String
            let defaultSubcommand: String?
            let subcommands: [Command]?
            let arguments: [Argument]?

            func subcommand(named name: String?) -> Command? {
                subcommands?.first { $0.commandName == name }
            }
        }

        struct Argument: Decodable {
            struct Name: Decodable {
                let name: String
            }

            let kind: String
            let isRepeating: Bool
            let names: [Name]?
        }

        let command: Command
    }

    /// - Parameters:
    ///   - arguments: what the user gave.
    ///   - root: the command that has all others.
    /// - Throws: `.usage`.
    static func check(
        _ arguments: [String], of root: any ParsableCommand.Type
    ) throws(ProvisioningError) {
        let repeated = Set(repeatedNames(in: arguments))
        // To describe all commands takes longer than most of them.
        guard !repeated.isEmpty, let command = command(of: arguments, root) else { return }
        for argument in command.arguments ?? []
        where argument.kind == "option" && !argument.isRepeating {
            guard let name = argument.names?.map(\.name).first(where: repeated.contains) else {
                continue
            }
            throw ProvisioningError(
                .usage, "--\(name) is given twice, and takes one value",
                hint: "run the command once for each")
        }
    }

    private static func repeatedNames(in arguments: [String]) -> [String] {
        let names = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
            .map { String($0.dropFirst(2).prefix { $0 != "=" }) }
        return Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.map(\.key)
    }

    private static func command(
        of arguments: [String], _ root: any ParsableCommand.Type
    ) -> Description.Command? {
        let text = Data(root._dumpHelp().utf8)
        guard var command = try? JSONDecoder().decode(Description.self, from: text).command else {
            return nil
        }
        for word in arguments {
            guard let next = command.subcommand(named: word) else { break }
            command = next
        }
        return command.subcommand(named: command.defaultSubcommand) ?? command
    }
}
