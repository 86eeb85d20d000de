import Channels
import Foundation
import Platforms
import Provisioning

/// Makes the image with the platform's build command, in the firmware package's folder.
struct FirmwareBuild {
    let platform: Platform
    let packagePath: String

    /// The last lines that a failed build shows: compilers say more than one thing.
    private static let shownLineCount = 60

    init(_ platform: Platform, packagePath: String) {
        self.platform = platform
        self.packagePath = URL(filePath: packagePath).standardizedFileURL.path
    }

    func command() throws -> Command {
        guard let build = platform.build else {
            throw ProvisioningError(
                .usage, "the platform \(platform.name) says nothing about building",
                hint: "name an image with --firmware")
        }
        return try build.command(package: packagePath)
    }

    func imagePath() throws -> String {
        guard let build = platform.build else {
            throw ProvisioningError(.usage, "the platform \(platform.name) names no image")
        }
        return try build.imagePath(package: packagePath)
    }

    /// Refuses what can't even be begun.
    func checkPresence() throws {
        try checkFolder()
        _ = try command()
        _ = try imagePath()
    }

    func run(_ session: Session) throws -> FirmwareImage {
        try checkFolder()
        let command = try command()
        session.reporter.began(.build)
        var lines: [String] = []
        let runner = CommandRunner(interruption: session.interruption) { output in
            lines.append(output.line)
            if lines.count > 2 * Self.shownLineCount { lines.removeFirst(Self.shownLineCount) }
            session.reporter.building(output.line)
        }
        do {
            try runner.run(
                command, timeout: platform.timeouts[.build], failure: .buildFailed)
        } catch {
            session.reporter.abandon()
            if error.code == .buildFailed {
                for line in lines.suffix(Self.shownLineCount) {
                    Terminal.standardError.write(Table.printable(line) + "\n")
                }
                throw failure(error, hasPrinted: !lines.isEmpty)
            }
            throw error
        }
        let path = try imagePath()
        guard FileManager.default.fileExists(atPath: path) else {
            throw ProvisioningError(
                .buildFailed, "the build left no image at \(path)",
                hint: "compare it with image in the platform file of \(platform.name)")
        }
        let image = FirmwareImage(path: path)
        session.reporter.ended(.build, summary(of: image))
        return image
    }

    /// What went wrong, without the lines, which a person has seen.
    private func failure(_ error: ProvisioningError, hasPrinted: Bool) -> ProvisioningError {
        let cause = error.reason.split(separator: "\n\(CommandRunner.margin)", maxSplits: 1)[0]
        let lines = hasPrinted ? "its last lines stand above; " : ""
        return ProvisioningError(
            .buildFailed, "building \(packagePath): \(cause)",
            hint: error.hint
                ?? lines + "another folder is named by --package-path, a built image by --firmware")
    }

    /// A tool that is started in no folder says otherwise that it is missing itself.
    private func checkFolder() throws(ProvisioningError) {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: packagePath, isDirectory: &isFolder)
        guard !isFolder.boolValue else { return }
        throw ProvisioningError(
            .buildFailed,
            isThere ? "\(packagePath) is no folder" : "there is no folder \(packagePath)",
            hint: "the firmware package is named by --package-path, a built image by --firmware")
    }

    /// What the image takes on its chip; where it is no ELF executable, only where it is.
    private func summary(of image: FirmwareImage) -> String {
        let isInside = image.path.hasPrefix(packagePath + "/")
        let path = isInside ? String(image.path.dropFirst(packagePath.count + 1)) : image.path
        let footprint = try? ELFImage(contentsOf: image).footprint()
        return footprint.map { "\(path): \($0)" } ?? path
    }
}
