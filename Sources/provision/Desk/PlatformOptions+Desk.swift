import Channels
import Platforms
import Provisioning

extension PlatformOptions {
    func catalogue() throws(ProvisioningError) -> PlatformCatalogue { try places.catalogue() }

    /// - Parameters:
    ///   - interruption: ends the wait for an adapter that describes its platform; nil: nothing does, but the
    ///     process may end.
    ///   - timeout: for such an adapter, if it is longer than the usual one.
    func namedPlatform(
        _ interruption: Interruption? = nil, within timeout: Duration? = nil
    ) throws(ProvisioningError) -> Platform? {
        guard let platform else { return nil }
        return try catalogue().platform(
            named: platform, orAskingWith: interruption, within: timeout)
    }

    /// The one that the user named, or all that there are files of. A bad file hides no other platform.
    func consideredPlatforms(within timeout: Duration? = nil) throws(ProvisioningError)
        -> [Platform]
    {
        try considered(namedPlatform(within: timeout))
    }

    private func considered(_ named: Platform?) throws(ProvisioningError) -> [Platform] {
        if let named { return [named] }
        return try catalogue().entries().compactMap { try? $0.platform.get() }
    }

    /// What is attached, beside the platform that the user named, or beside all that there are.
    func desk() throws(ProvisioningError) -> Desk { try desk(beside: namedPlatform()) }

    /// - Parameters:
    ///   - platform: that the user named.
    ///   - stateDirectory: below which emulated boards run; nil: none of them is meant.
    func desk(
        beside platform: Platform?, stateDirectory: String? = nil
    ) throws(ProvisioningError) -> Desk {
        let platforms = try considered(platform)
        guard let platform else { return Desk(platforms: platforms) }
        return Desk(of: platform, stateDirectory: stateDirectory)
    }
}
