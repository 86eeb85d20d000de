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
    public struct Endpoints: Codable, Sendable, Hashable {
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
            guard let holder = PortHolder.find("\(folder)/\(name)/lock") else { return nil }
            return RunningInstance(
                instance: name, holder: holder,
                endpoints: endpoints(
                    at: "\(folder)/\(name)/\(InstanceFolder.endpointsName)", holder))
        }
    }

    /// What another process left there, which was killed, is not believed.
    private static func endpoints(at path: String, _ holder: PortHolder) -> Endpoints? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: limit),
            let endpoints = try? JSONDecoder().decode(Endpoints.self, from: data),
            endpoints.processID == holder.processID
        else { return nil }
        return endpoints
    }
}
