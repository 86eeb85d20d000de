import Foundation
import Platforms
import Provisioning

extension PlatformOptions {
    func catalogue() throws(ProvisioningError) -> PlatformCatalogue {
        try PlatformCatalogue(
            requested: folders, package: packagePath,
            environment: ProcessInfo.processInfo.environment)
    }

    func namedPlatform() throws(ProvisioningError) -> Platform? {
        guard let platform else { return nil }
        return try catalogue().platform(named: platform)
    }

    /// The one that the user named, or all that there are. A bad file hides no other platform.
    func consideredPlatforms() throws(ProvisioningError) -> [Platform] {
        if let platform = try namedPlatform() { return [platform] }
        return try catalogue().entries().compactMap { try? $0.platform.get() }
    }

    /// What is attached, beside the platform that the user named, or beside all that there are.
    func desk() throws(ProvisioningError) -> Desk {
        let platforms = try consideredPlatforms()
        // What is emulated is on no cable.
        return platform != nil && platforms[0].emulation != nil
            ? Desk(platforms: platforms, devices: []) : Desk(platforms: platforms)
    }
}
