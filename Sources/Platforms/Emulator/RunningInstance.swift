public import Channels
import Foundation

/// An emulated board that somebody runs on this machine.
public struct RunningInstance: Sendable, Hashable {
    public let instance: String
    /// Who runs it.
    public let holder: PortHolder
    /// Nil while it is being started.
    public let endpoints: Endpoints?

    /// Where it is reached.
    public struct Endpoints: Sendable, Hashable {
        /// The platform's name.
        public let platform: String
        /// Path of its serial port.
        public let port: String
        /// Its debug probe's GDB server; nil: it has none.
        public let probe: String?
        let processID: Int32
    }

    /// Bytes. Two paths and two names.
    private static let limit = 16_384

    /// What runs below a state directory, by name: that whose lock is held. Nothing is locked, so that
    /// nobody who starts a board finds it in use.
    public static func list(stateDirectory: String) -> [RunningInstance] {
        let folder = URL(fileURLWithPath: stateDirectory).path + "/emulated"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            guard let holder = PortHolder.findLockHolder("\(folder)/\(name)/lock") else {
                return nil
            }
            return RunningInstance(
                instance: name, holder: holder,
                endpoints: endpoints(in: "\(folder)/\(name)/lock", holder))
        }
    }

    /// What another process left there, which was killed, is not believed.
    private static func endpoints(in path: String, _ holder: PortHolder) -> Endpoints? {
        guard let lock = try? FileBytes.read(path, limit: limit),
            let lineEnd = lock.firstIndex(of: 0x0A),
            let endpoints = Endpoints(
                text: String(decoding: lock[lock.index(after: lineEnd)...], as: UTF8.self)),
            endpoints.processID == holder.processID
        else { return nil }
        return endpoints
    }
}

extension RunningInstance.Endpoints {
    /// A line for each: platform, port, probe or nothing, process.
    var text: String { "\(platform)\n\(port)\n\(probe ?? "")\n\(processID)\n" }

    /// Nil unless it is whole.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[4].isEmpty, Platform.isName(String(lines[0])),
            lines[1].hasPrefix("/"), let processID = Int32(lines[3])
        else { return nil }
        self.init(
            platform: String(lines[0]), port: String(lines[1]),
            probe: lines[2].isEmpty ? nil : String(lines[2]), processID: processID)
    }
}
