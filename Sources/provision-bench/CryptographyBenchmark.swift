import Attestation
import Authority
import COSE
import Foundation
import Issuance
import OpenSSL
import Provisioning

/// What the host computes for a device, per second of one core, beside what OpenSSL alone does.
struct CryptographyBenchmark: Benchmark {
    let topic = "cryptography"
    let abstract = "evidence appraised, certificates and CWTs issued, per second of a core"

    /// Signatures per second of the machine for which the limits were set.
    private static let referenceSignatures = 45_000.0
    /// Devices with keys of their own: nothing is cached from one to the next.
    private static let deviceCount = 32

    func measure(_ bench: Bench) throws -> [Measurement] {
        let devices = try (0..<Self.deviceCount).map(SimulatedDevice.init(number:))
        return try Bench.withFolder { folder in
            let authority = try FileAuthority.create(
                at: folder.appending(path: "authority").path, name: "Bench",
                now: Surroundings.system.now())
            bench.progress("evidence, beside OpenSSL")
            let evidence = try evidence(devices, bench)
            bench.progress("certificates and CWTs, beside openssl speed")
            return [evidence] + (try issuance(devices, authority, bench))
        }
    }

    private func evidence(_ devices: [SimulatedDevice], _ bench: Bench) throws -> Measurement {
        let raw = try devices.map { try RawVerification($0.evidence) }
        let rounds = try (0..<(bench.isQuick ? 3 : 400)).map { _ in
            Round(
                own: try Self.rate {
                    for device in devices {
                        _ = try Verifier.appraise(
                            Evidence(device.evidence), against: device.expectation)
                    }
                }, peer: try Self.rate { for verification in raw { try verification.run() } })
        }
        let middle = Round.middle(rounds)
        return Measurement(
            "evidence appraised", middle.own, "/s",
            beside: .init(name: "EVP_DigestVerify", value: middle.peer), .atLeast(0.8))
    }

    private func issuance(
        _ devices: [SimulatedDevice], _ authority: FileAuthority, _ bench: Bench
    ) throws -> [Measurement] {
        let now = Surroundings.system.now()
        func rates(_ body: () throws -> Void) throws -> Double {
            Bench.median(try (0..<(bench.isQuick ? 1 : 40)).map { _ in try Self.rate(body) })
        }
        var rounds: (chains: [Round], tokens: [Round]) = ([], [])
        for _ in 0..<(bench.isQuick ? 1 : 7) {
            let signatures = try Self.opensslSignatures()
            let chains = try rates {
                for device in devices {
                    _ = try Verifier.appraise(
                        request: device.request, against: device.requestExpectation)
                    _ = try authority.sign(device.plan(.x509Chain, now))
                }
            }
            let tokens = try rates {
                for device in devices { _ = try authority.sign(device.plan(.cwt, now)) }
            }
            rounds.chains.append(Round(own: chains, peer: signatures))
            rounds.tokens.append(Round(own: tokens, peer: signatures))
        }
        func measurement(_ name: String, _ rounds: [Round], atLeast rate: Double) -> Measurement {
            let middle = Round.middle(rounds)
            return Measurement(
                name, middle.own, "/s",
                beside: .init(name: "openssl speed, signs", value: middle.peer),
                .atLeast(rate / Self.referenceSignatures))
        }
        return [
            measurement("X.509 chains, possession checked", rounds.chains, atLeast: 5_000),
            measurement("CWTs", rounds.tokens, atLeast: 10_000),
        ]
    }

    /// Devices per second of a core, of a `body` that does all of them.
    private static func rate(_ body: () throws -> Void) rethrows -> Double {
        Double(deviceCount) / (try Bench.processorSeconds(body))
    }

    /// ECDSA signatures on P-256 per second of a core, as `openssl speed` counts them.
    private static func opensslSignatures() throws -> Double {
        let arguments = ["openssl", "speed", "-seconds", "1", "ecdsap256"]
        let output = try Program(arguments).runSuccessfully().output
        // 256 bits ecdsa (nistp256)   0.0000s   0.0001s  46274.0  14996.0
        let words = output.split(separator: "\n").last { $0.contains("ecdsa (nistp256)") }?
            .split(whereSeparator: \.isWhitespace)
        guard let words, words.count >= 2, let rate = Double(words[words.count - 2]) else {
            throw Failure("openssl speed says nothing of nistp256:\n\(output.suffix(500))")
        }
        return rate
    }
}
