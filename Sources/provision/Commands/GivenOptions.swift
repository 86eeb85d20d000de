import ArgumentParser
import Foundation
import Provisioning

/// What ArgumentParser takes without a word.
enum GivenOptions {
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
                /// `short` is one letter behind one dash.
                let kind: String
                let name: String

                var spelling: String { (kind == "short" ? "-" : "--") + name }
            }

            let kind: String
            let isRepeating: Bool
            let names: [Name]?
        }

        let command: Command
    }

    /// Refuses an option that takes one value and is given twice: of two devices that are to be revoked, one would
    /// stay good.
    ///
    /// - Parameters:
    ///   - arguments: what the user gave.
    ///   - root: the command that has all others.
    /// - Throws: `.usage`.
    static func checkRepetition(
        _ arguments: [String], of root: any ParsableCommand.Type
    ) throws(ProvisioningError) {
        let given = arguments.prefix { $0 != "--" }.flatMap(names)
        // To describe all commands takes longer than most of them.
        guard mayRepeat(given), let command = command(of: arguments, root) else { return }
        for argument in command.arguments ?? []
        where argument.kind == "option" && !argument.isRepeating {
            let spellings = (argument.names ?? []).map(\.spelling)
            let found = given.filter(spellings.contains)
            guard found.count > 1 else { continue }
            let isOne = Set(found).count == 1
            throw ProvisioningError(
                .usage,
                isOne
                    ? "\(found[0]) is given twice, and takes one value"
                    : "\(found[0]) and \(found[1]) are one option, which takes one value",
                hint: "run the command once for each")
        }
    }

    /// Refuses a value that is empty, as a script's variable that is not set: it would pass for the current folder,
    /// or for a name that nothing has. Behind `--name=`, ArgumentParser would take the next word for it. For what is
    /// understood otherwise: each option's own words come first.
    ///
    /// - Throws: `.usage`.
    static func checkValues(
        _ arguments: [String], of root: any ParsableCommand.Type
    ) throws(ProvisioningError) {
        let given = arguments.prefix { $0 != "--" }
        guard given.contains(where: { $0.isEmpty || $0.hasSuffix("=") }),
            let command = command(of: arguments, root)
        else { return }
        let options = (command.arguments ?? []).filter { $0.kind == "option" }
        let spellings = Set(options.flatMap { $0.names ?? [] }.map(\.spelling))
        for (index, argument) in given.enumerated() {
            guard let name = names(in: argument).last, spellings.contains(name) else { continue }
            if argument.contains("=") {
                guard argument == name + "=" else { continue }
            } else {
                guard name != remark, index + 1 < given.count, given[index + 1].isEmpty else {
                    continue
                }
            }
            throw ProvisioningError(
                .usage, "\(name) is given \"\", which is no value",
                hint: "give it one, or leave \(name) away")
        }
    }

    /// The user's own words, which may be none.
    private static let remark = "--note"

    /// `--name` of `--name=value`; `-a` and `-b` of `-ab`; `-o` of `-o/path`, whose value may hold any letter.
    private static func names(in argument: String) -> [String] {
        let name = argument.prefix { $0 != "=" }
        if name.hasPrefix("--") { return [String(name)] }
        guard name.hasPrefix("-") else { return [] }
        let letters = name.dropFirst()
        return letters.prefix(letters.allSatisfy(\.isLetter) ? letters.count : 1).map { "-\($0)" }
    }

    /// Whether two of these names may be one option's: a short name is its long one's first letter.
    private static func mayRepeat(_ given: [String]) -> Bool {
        let (long, short) = (given.filter { $0.hasPrefix("--") }, given.filter { $0.count == 2 })
        return Set(given).count < given.count
            || short.contains { name in long.contains { $0.hasPrefix("-" + name) } }
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
