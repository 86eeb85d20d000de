import Channels
import Foundation
import Platforms
import Provisioning

/// Flashes a board whose bootloader waits for its port to be opened at a certain rate and left: it comes
/// back as the bootloader's, maybe with another name.
struct TouchingFlasher: Flasher {
    let baud: Int
    let timeouts: Timeouts
    let interruption: Interruption
    /// The board's port before it is touched.
    let port: () throws(ProvisioningError) -> String
    /// Where that port is now. Throws `.channelUnavailable` while it is not.
    let current: () throws(ProvisioningError) -> String
    let noted: (String) -> Void
    /// Flashes through a port.
    let flasher: (String) -> any Flasher

    private static let interval = Duration.milliseconds(50)

    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        let path = try port()
        let before = FileIdentity(path)
        try touch(path)
        return try flasher(try bootloaderPort(path, before)).flash(image, erasing: erasing)
    }

    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try image?.check(is: receipt)
    }

    private func touch(_ path: String) throws(ProvisioningError) {
        let port = try SerialPort(path: path, baud: UInt32(baud), interruption: interruption)
        port.drainLimit = timeouts[.drain]
        defer { port.close() }
        try port.perform(.hangUp)
    }

    /// - Throws: `.channelUnavailable` if the port left and none came.
    private func bootloaderPort(
        _ path: String, _ before: FileIdentity?
    ) throws(ProvisioningError) -> String {
        let end = ContinuousClock.now + timeouts[.touch]
        repeat {
            if let now = try? current(), let node = FileIdentity(now), node != before,
                access(now, R_OK | W_OK) == 0
            {
                noted("the bootloader is on \(now)")
                return now
            }
            try interruption.pause(for: Self.interval)
        } while ContinuousClock.now < end
        // It may have been in its bootloader before.
        guard let before, FileIdentity(path) == before else {
            throw ProvisioningError(
                .channelUnavailable,
                "\(path) was touched at \(baud) baud and left, and did not come back in \(timeouts[.touch])",
                hint: "press the board's reset button twice? or wait longer: --timeout touch=20s")
        }
        noted("\(path) stays as it was after the touch at \(baud) baud")
        return path
    }
}
