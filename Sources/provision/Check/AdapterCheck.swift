import Channels
import Foundation
import PlatformAdapter
import Platforms
import Provisioning
import ProvisioningTesting

/// The promises of an adapter, one by one.
enum AdapterCheck: String, CaseIterable, Sendable {
    // Messages
    case saysHello = "it says hello, and describes its platform"
    case refusesVersions = "it refuses a host that speaks none of its versions"
    case answersUnknown = "it answers what it does not know, and goes on"
    case refusesTruncated = "it refuses half a line, and understands the next"
    case refusesOversized = "it refuses a line that is too long, and understands the next"
    case refusesRepeats = "it does nothing for a request that comes twice"
    case understandsPieces = "it understands a line that comes late, in pieces"
    case refusesLateWrites = "it lets nothing through behind close"
    case endsAfterBye = "it ends after bye"
    case endsWithItsHost = "it ends when its host is gone"

    // The board
    case flashes = "an image arrives whole"
    case erases = "erasing reaches the board"
    case noticesUnplugged = "a board that leaves while it is flashed is no success"
    case noticesMissing = "a board that is not there is said to be missing"
    case refusesMissingImages = "an image that is not there is no success"
    case identifies = "it reads the device ID"
    case resets = "a reset reaches the board"
    case provisions = "a device is provisioned through it"

    var group: String {
        switch self {
        case .saysHello, .refusesVersions, .answersUnknown, .refusesTruncated, .refusesOversized,
            .refusesRepeats, .understandsPieces, .refusesLateWrites, .endsAfterBye,
            .endsWithItsHost:
            "messages"
        default: "board"
        }
    }

    /// What an adapter must be able to do for this check.
    var ability: AdapterAbility? {
        switch self {
        case .flashes, .noticesUnplugged, .refusesMissingImages: .flash
        case .erases: .erase
        case .identifies: .identify
        case .resets: .reset
        default: nil
        }
    }

    /// Makes the check, with an adapter and a board of its own.
    ///
    /// - Parameter platform: nil: the adapter describes it.
    func run(
        _ program: AdapterProgram, _ platform: Platform?, _ interruption: Interruption
    ) -> CheckResult {
        CheckResult.of(group, rawValue) {
            let trial = AdapterTrial(
                program: program, platform: platform, interruption: interruption)
            return try trial.run(self)
        }
    }
}
