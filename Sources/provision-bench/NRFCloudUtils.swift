import Channels
import Foundation
import Provisioning

/// Nordic's tool for the same job, from PyPI, in a Python environment of its own: it has a modem
/// make a key, signs a certificate for it and installs that. The modem is scripted.
struct NRFCloudUtils {
    /// What was measured for the README.
    private static let packages = ["nrfcloud-utils==3.3.1", "nrfcredstore==2.1.0"]
    private static let peers = Bench.packageRoot.appending(path: "Sources/provision-bench/Peers")
    private static let environment = Bench.packageRoot.appending(path: ".build/bench-venv")

    /// Why it can't run here; nil once it can.
    static func prepare(_ bench: Bench) throws -> String? {
        #if !os(Linux)
            return "a pty passes for a USB port on Linux only"
        #else
            if bench.isQuick { return "not with --quick" }
            guard getuid() == 0 else { return "a pty passes for a USB port only as root" }
            let stamp = environment.appending(path: packages.joined(separator: "+"))
            if FileManager.default.fileExists(atPath: stamp.path) { return nil }
            bench.progress("installing \(packages.joined(separator: " ")) from PyPI")
            let python = environment.appending(path: "bin/python").path
            let steps = [
                ["python3", "-m", "venv", "--clear", environment.path],
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                    + packages,
            ]
            for step in steps {
                let run: Program.Run
                do {
                    run = try Program(step).run()
                } catch {
                    return "\(error)"
                }
                guard run.ending.isSuccess else { return "\(step[0]): \(run.lastLine)" }
            }
            try Data().write(to: stamp)
            return nil
        #endif
    }

    private let folder: URL

    /// Makes an authority in `folder`.
    init(in folder: URL) throws {
        self.folder = folder
        _ = try Self.tool("create_ca_cert", ["-c", "US", "-f", "ca-"], in: folder)
            .runSuccessfully()
    }

    /// Seconds for one blank modem, the process's start included. Nothing is asked of it that costs it
    /// more: it neither deletes nor reads back.
    func install(number: Int) throws -> Double {
        let terminal = folder.appending(path: "pty-\(number)")
        let modem = try ChildProcess(
            Command([
                Self.environment.appending(path: "bin/python").path,
                Self.peers.appending(path: "modem.py").path, terminal.path,
            ]), failure: .internalFailure)
        defer { modem.terminate(grace: .zero) }
        let port = try wait(for: terminal, from: modem)
        let record = "onboard-\(number).csv"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        guard let certificate = files.first(where: { $0.hasSuffix("_ca.pem") }),
            let key = files.first(where: { $0.hasSuffix("_prv.pem") })
        else { throw Failure("create_ca_cert wrote \(files)") }
        var program = Self.tool(
            "device_credentials_installer",
            [
                "-A", "--port", "/dev/ttyUSB0", "--cmd-type", "at", "--ca", certificate,
                "--ca-key", key, "--id-imei", "--id-str", "nrf-", "--csv", record,
            ], in: folder)
        let wrapper = [Self.peers.appending(path: "with-usb-port").path, port]
        program.arguments = wrapper + program.arguments
        let seconds = try program.runSuccessfully().seconds
        let row = try String(contentsOf: folder.appending(path: record), encoding: .utf8)
        guard row.contains("BEGIN CERTIFICATE") else { throw Failure("no certificate:\n\(row)") }
        // The port is our doing.
        return seconds - (try Program(wrapper + ["true"]).runSuccessfully().seconds)
    }

    private func wait(for file: URL, from modem: ChildProcess) throws -> String {
        for _ in 0..<1000 {
            if let path = try? String(contentsOf: file, encoding: .utf8) { return path }
            if let ending = modem.currentEnding { throw Failure("the scripted modem \(ending)") }
            usleep(10_000)
        }
        throw Failure("the scripted modem does not start")
    }

    private static func tool(_ name: String, _ arguments: [String], in folder: URL) -> Program {
        Program([environment.appending(path: "bin/\(name)").path] + arguments, in: folder)
    }
}
