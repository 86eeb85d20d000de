import Attestation
import Foundation
import Provisioning

/// A board that is a folder: yours goes here. `provision check` offers such a folder as a board without
/// hardware, and names it as "simulated": keep this for it.
///
/// - `flash`: a named pipe that takes an image; `flash-erase` also erases keys and credentials
/// - `flashed`: a file that is made when an image was taken
/// - `id`: the device ID in hexadecimal, as a probe reads it
/// - `console`: the board's serial port
/// - `reset`: a named pipe; any byte restarts the board
struct FolderBoard: DeviceIDReader {
    private let folder: String?

    init(_ folder: String?) { self.folder = folder }

    func path(of name: String) throws(ProvisioningError) -> String {
        if let folder { return "\(folder)/\(name)" }
        throw ProvisioningError(
            .usage, "which board is meant?", hint: "name its folder with --port")
    }

    func has(_ name: String) throws(ProvisioningError) -> Bool {
        FileManager.default.fileExists(atPath: try path(of: name))
    }

    func readDeviceID() throws(ProvisioningError) -> DeviceID {
        let path = try path(of: "id")
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        if let id = DeviceID(hexadecimal: text.trimmingCharacters(in: .whitespacesAndNewlines)) {
            return id
        }
        throw ProvisioningError(.probeUnavailable, "there is no device ID in \(path)")
    }

    func reset() throws(ProvisioningError) {
        let pipe = try open("reset")
        defer { close(pipe) }
        guard write(pipe, "r", 1) == 1 else {
            throw ProvisioningError(.probeUnavailable, "the board takes no reset: \(failure)")
        }
    }

    func open(_ pipe: String) throws(ProvisioningError) -> Int32 {
        let path = try path(of: pipe)
        let descriptor = Foundation.open(path, O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 { return descriptor }
        throw ProvisioningError(.probeUnavailable, "\(path): \(failure)")
    }
}

/// What the last call failed with.
var failure: String { String(cString: strerror(errno)) }

/// Writes the image into the board's pipe.
struct FolderFlasher: Flasher {
    let board: FolderBoard
    let progress: (_ done: Int, _ total: Int) -> Void

    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        guard let bytes = FileManager.default.contents(atPath: image.path) else {
            throw ProvisioningError(.imageInvalid, "\(image.path) can't be read")
        }
        unlink(try board.path(of: "flashed"))
        let pipe = try board.open(erasing ? "flash-erase" : "flash")
        do throws(ProvisioningError) {
            try write(Array(bytes), to: pipe)
            close(pipe)
        } catch {
            close(pipe)
            throw error
        }
        try waitUntilTaken()
        // The host has its own digest of the file, and asks for none.
        return FlashReceipt(digest: nil, byteCount: bytes.count, isVerified: false)
    }

    /// Nothing of the image is read any more once `flash` has returned, and the host compares the file
    /// itself.
    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) {}

    private func write(_ bytes: [UInt8], to pipe: Int32) throws(ProvisioningError) {
        var done = 0
        while done < bytes.count {
            let part = bytes[done..<min(bytes.count, done + 4096)]
            let count = part.withUnsafeBytes { Foundation.write(pipe, $0.baseAddress, $0.count) }
            guard count > 0 else {
                throw ProvisioningError(
                    .flashFailed, "\(done) of \(bytes.count) bytes: \(failure)",
                    hint: "is the board still there?")
            }
            done += count
            progress(done, bytes.count)
        }
    }

    private func waitUntilTaken() throws(ProvisioningError) {
        let end = ContinuousClock.now + .seconds(10)
        while try !board.has("flashed") {
            guard try board.has("id"), .now < end else {
                throw ProvisioningError(
                    .flashFailed, "the board has not taken the image",
                    hint: "is the board still there?")
            }
            usleep(2000)
        }
    }
}
