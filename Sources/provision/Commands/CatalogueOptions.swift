import ArgumentParser
import Foundation
import Platforms
import Provisioning

/// Where platform files are looked for, the same for every command.
struct CatalogueOptions: ParsableArguments {
    @Option(
        name: .customLong("platforms"),
        help: ArgumentHelp(
            "A folder with platform files of your own; it comes first. Repeatable.",
            valueName: "folder"),
        completion: .directory)
    var folders: [String] = []

    @Option(
        help: ArgumentHelp("The firmware package.", valueName: "folder"), completion: .directory)
    var packagePath = "."

    /// The user's folders come before those that the package's `provision.toml` names.
    ///
    /// - Throws: `.settingsInvalid`; `.usage` for a folder that is none.
    func catalogue() throws(ProvisioningError) -> PlatformCatalogue {
        try PlatformCatalogue(
            requested: folders + PackageSettings.read(package: packagePath).platformFolders,
            package: packagePath, environment: ProcessInfo.processInfo.environment)
    }
}
