import Authority
import Channels
import Foundation
import Platforms
import Provisioning
import Registry

/// What `doctor` looks at. It only looks.
struct Checkup {
    let state: State
    let places: CatalogueOptions

    struct Finding: Encodable {
        enum Severity: String, Encodable {
            case good, note, problem

            var mark: String {
                switch self {
                case .good: "ok"
                case .note: "-"
                case .problem: "!!"
                }
            }
        }

        let severity: Severity
        let subject: String
        let text: String
        let hint: String?
    }

    /// A program that some boards need, and how to get it.
    private struct Tool {
        let name: String
        let purpose: String
        let hint: String
    }

    private static let tools = [
        Tool(
            name: "swift", purpose: "builds firmware packages",
            hint: "see https://www.swift.org/install"),
        Tool(
            name: "qemu-system-arm", purpose: "emulates boards",
            hint: "apt-get install qemu-system-arm"),
        Tool(
            name: "openssl", purpose: "reads what export writes", hint: "apt-get install openssl"),
        Tool(
            name: "probe-rs", purpose: "flashes through most debug probes",
            hint: "see https://probe.rs"),
        Tool(
            name: "openocd", purpose: "a GDB server for most debug probes",
            hint: "apt-get install openocd"),
    ]

    func findings() -> [Finding] {
        Self.tools.map(tool) + [
            ports(), bulkInterfaces(), probes(), settings(), platforms(), registry(), authority(),
        ]
    }

    private func tool(_ tool: Tool) -> Finding {
        guard let found = Command([tool.name]).programPath else {
            return Finding(
                severity: .note, subject: tool.name, text: "not installed; \(tool.purpose)",
                hint: tool.hint)
        }
        return Finding(severity: .good, subject: tool.name, text: found, hint: nil)
    }

    private func ports() -> Finding {
        let ports = SerialPorts.list()
        guard !ports.isEmpty else {
            return Finding(
                severity: .note, subject: "serial ports", text: "none attached",
                hint: "connect a board, or use an emulated one: provision emulate microbit-qemu")
        }
        let closed = ports.filter { access($0.path, R_OK | W_OK) != 0 }
        let names = ports.map { port in
            port.usb.map { "\(port.path) (\($0))" } ?? port.path
        }
        return Finding(
            severity: closed.isEmpty ? .good : .problem, subject: "serial ports",
            text: names.joined(separator: ", "),
            hint: closed.isEmpty
                ? nil : "\(closed[0].path) is closed to you: add yourself to the group dialout")
    }

    /// Vendor interfaces: some are boards, and some are none of anybody's business here.
    private func bulkInterfaces() -> Finding {
        let interfaces = USBInterface.list()
        let closed = interfaces.first { access($0.node, R_OK | W_OK) != 0 }
        return Finding(
            severity: interfaces.isEmpty || closed != nil ? .note : .good,
            subject: "USB interfaces",
            text: interfaces.isEmpty
                ? "none with two bulk endpoints"
                : interfaces.map(\.description).joined(separator: ", "),
            hint: closed.map {
                "\($0.node) is closed to you; if it is a board, \(USBRules.hint(for: $0.device))"
            })
    }

    private func probes() -> Finding {
        let probes = DebugProbes.list()
        return Finding(
            severity: probes.isEmpty ? .note : .good, subject: "debug probes",
            text: probes.isEmpty
                ? "none attached by USB" : probes.map(\.description).joined(separator: ", "),
            hint: nil)
    }

    /// Of the firmware package in the current folder.
    private func settings() -> Finding {
        do {
            let settings = try PackageSettings.read(package: ".")
            guard settings.origin != nil else {
                return Finding(
                    severity: .note, subject: "settings",
                    text: "no \(PackageSettings.fileName) in this folder",
                    hint: "one sets platform, image, credentials and times of a firmware package")
            }
            let path = URL(filePath: PackageSettings.fileName).path
            return Finding(
                severity: .good, subject: "settings",
                text: "valid, in force for commands in this folder: \(path)", hint: nil)
        } catch {
            return Finding(
                severity: .problem, subject: "settings", text: error.reason, hint: error.hint)
        }
    }

    private func platforms() -> Finding {
        do {
            let entries = try places.catalogue().entries()
            for entry in entries {
                guard case .failure(let error) = entry.platform else { continue }
                return Finding(
                    severity: .problem, subject: "platforms", text: error.reason, hint: error.hint)
            }
            return Finding(
                severity: .good, subject: "platforms", text: "\(entries.count), all valid",
                hint: nil)
        } catch {
            return Finding(
                severity: .problem, subject: "platforms", text: error.reason, hint: error.hint)
        }
    }

    private func registry() -> Finding {
        let path = state.directory.registry
        do {
            let registry = try SQLiteRegistry(path: path, for: .reading)
            let report = try registry.checkIntegrity()
            let statistics = try registry.statistics()
            guard report.isIntact else {
                return Finding(
                    severity: .problem, subject: "registry",
                    text: report.findings.first ?? "event \(report.firstBadEvent ?? 0) was altered",
                    hint: report.isNoteLost
                        ? "provision registry verify says what to do" : "restore a copy of \(path)")
            }
            let places: [String] = [path, state.directory.path]
            if let closed = places.first(where: { access($0, W_OK) != 0 }) {
                return Finding(
                    // Enough for who only reads it.
                    severity: .note, subject: "registry",
                    text: "sound, but no run can record anything: \(closed) is not writable",
                    hint: "make it writable for you, or choose another PROVISION_HOME")
            }
            return Finding(
                severity: .good, subject: "registry",
                text: "\(statistics.deviceCount.counted("device")), "
                    + "\(report.eventCount.counted("event")), sound: \(path)",
                hint: nil)
        } catch  where error.code == .notFound {
            return Finding(
                severity: .note, subject: "registry", text: "none yet in \(path)",
                hint: "the first run creates it")
        } catch {
            return Finding(
                severity: .problem, subject: "registry", text: error.reason, hint: error.hint)
        }
    }

    private func authority() -> Finding {
        do {
            guard let authority = try state.authorityIfAny(of: registryIfReadable()) else {
                return Finding(
                    severity: .note, subject: "authority",
                    text: "none yet in \(state.directory.authority)",
                    hint: "the first run creates it")
            }
            return Finding(
                severity: .good, subject: "authority",
                text: "\(authority.summary.issuing.subject), sound: \(authority.summary.path)",
                hint: nil)
        } catch {
            return Finding(
                severity: .problem, subject: "authority", text: error.reason, hint: error.hint)
        }
    }

    /// Nil: there is none, or what is wrong with it is said already.
    private func registryIfReadable() -> SQLiteRegistry? {
        try? SQLiteRegistry(path: state.directory.registry, for: .reading)
    }
}
