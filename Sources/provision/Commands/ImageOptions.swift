import ArgumentParser
import Channels
import Foundation
import Platforms
import Provisioning

/// Where the firmware image comes from.
struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The image to flash; nothing is built.", valueName: "file"),
        completion: .file())
    var firmware: String?

    @Flag(help: "Flash the image of the last build.")
    var noBuild = false

    func validate() throws {
        if firmware == "" { throw ValidationError("--firmware names no file") }
    }

    /// Refuses an image that should be there and is not, and a package that can't be built.
    ///
    /// - Parameter builds: false: the flash command has an image of its own.
    /// - Throws: `.usage` where one image is named for boards of different kinds; `.imageInvalid`;
    ///   `.buildFailed`.
    func checkPresence(for platforms: [Platform], packagePath: String, builds: Bool) throws {
        let kinds = Set(platforms.map(\.board)).sorted()
        guard firmware == nil || !builds || kinds.count == 1 else {
            throw ProvisioningError(
                .usage,
                "--firmware is one image, for boards of \(kinds.joined(separator: " and "))",
                hint: "leave it away to flash what the platforms build, or provision them by kind")
        }
        if let firmware { return _ = try named(firmware).readBytes() }
        for platform in platforms where builds {
            let build = FirmwareBuild(platform, packagePath: packagePath)
            if noBuild {
                _ = try FirmwareImage(path: try build.imagePath()).readBytes()
            } else {
                try build.checkPresence()
            }
        }
    }

    private func named(_ firmware: String) -> FirmwareImage {
        FirmwareImage(path: URL(filePath: firmware).standardizedFileURL.path)
    }

    func image(for platform: Platform, packagePath: String, _ session: Session) throws
        -> FirmwareImage
    {
        if let firmware { return named(firmware) }
        let build = FirmwareBuild(platform, packagePath: packagePath)
        return noBuild ? FirmwareImage(path: try build.imagePath()) : try build.run(session)
    }

    /// An image for each platform of several boards, each built once.
    func images(
        for boards: [FleetBoard], packagePath: String, _ session: Session
    ) throws -> [Platform: FirmwareImage] {
        var built: [Platform.Build?: FirmwareImage] = [:]
        var images: [Platform: FirmwareImage] = [:]
        for platform in FleetBoard.platforms(of: boards) {
            // The real board and its emulation have one.
            let image =
                try built[platform.build]
                ?? image(for: platform, packagePath: packagePath, session)
            built[platform.build] = image
            images[platform] = image
        }
        return images
    }
}
