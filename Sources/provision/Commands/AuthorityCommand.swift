import ArgumentParser
import CBOR
import Authority
import Foundation
import Issuance
import Provisioning
import Registry

struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority",
        abstract: "Who signs: a root, an issuing CA below it, and a key for CWTs.",
        discussion: """
            It is created on first use. The root key signs the issuing CA and the root's revocation list, \
            nothing else: it may be taken away and kept elsewhere.

            EXAMPLES
              provision authority create --name "Example Devices"
              provision authority create --replace      the earlier one is lost for good
              provision authority show --json
            """,
        subcommands: [Show.self, Create.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Where it is and what it is called (the default).")

        @Flag(help: "Print one JSON document.")
        var json = false

        func run() throws {
            let state = try State()
            let registry = try state.openRegistryIfAny(isSilent: true)
            try AuthorityCommand.show(try state.authority(of: registry), json: json)
        }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create it under a name of your choice.")

        @Option(help: "Stands in the certificates: \"Example Devices\".")
        var name: String?

        @Flag(help: "Also where the one is lost that signed credentials of the registry.")
        var replace = false

        @Flag(help: "Print one JSON document.")
        var json = false

        func validate() throws {
            guard let name, !AuthorityCertificateProfile.accepts(name: name) else { return }
            let length = AuthorityCertificateProfile.nameLength
            throw ValidationError(
                "--name has \(length.lowerBound) to \(length.upperBound) printable characters, not "
                    + name.debugDescription)
        }

        func run() throws {
            let state = try State()
            let authority = try state.createAuthority(name: name, isReplacing: replace)
            try AuthorityCommand.show(authority, json: json)
        }
    }

    private struct Entry: Encodable {
        let path: String
        let subject: String
        let fingerprint: String
        let serialNumber: String
        /// RFC 3339 in UTC.
        let notBefore: String
        let notAfter: String?

        init(_ entry: AuthorityDescription.CertificateEntry) {
            path = entry.path
            subject = entry.subject
            fingerprint = entry.fingerprint.hexadecimal
            serialNumber = entry.serialNumber.hexadecimal
            notBefore = entry.notBefore.utc
            notAfter = entry.notAfter?.utc
        }
    }

    private struct Report: Encodable {
        let path: String
        let root: Entry
        let issuing: Entry
        let hasRootKey: Bool
        let tokenKeyPath: String
        let tokenKeyThumbprint: String
        let tokenIssuer: String
    }

    private static func show(_ authority: FileAuthority, json: Bool) throws {
        let summary = authority.summary
        let report = Report(
            path: summary.path, root: Entry(summary.root), issuing: Entry(summary.issuing),
            hasRootKey: summary.hasRootKey, tokenKeyPath: summary.tokenKeyPath,
            tokenKeyThumbprint: summary.tokenKeyThumbprint.hexadecimal,
            tokenIssuer: summary.tokenIssuer)
        if json { return try JSONDocument.print(report) }
        var table = Table("PART", "NAME", "SHA-256 OR THUMBPRINT", "FILE")
        table.append("root", report.root.subject, report.root.fingerprint, report.root.path)
        table.append(
            "issuing", report.issuing.subject, report.issuing.fingerprint, report.issuing.path)
        table.append("cwt key", report.tokenIssuer, report.tokenKeyThumbprint, report.tokenKeyPath)
        Terminal.standardOutput.write(table.text)
        Terminal.standardOutput.write(
            report.hasRootKey
                ? "" : "The root key was taken away; devices can still be provisioned.\n")
    }
}
