import Attestation
import Authority
import COSE
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry
import Synchronization

/// Durable changes per second, beside the same rows in raw SQLite: one at a time, and from threads
/// that share transactions.
struct CommitMeasurement {
    private let bench: Bench
    private let folder: URL

    private static let threadCount = 32
    /// Of raw SQLite's speed, where each transaction waits for the disk.
    private static let share = 0.5
    /// Times the speed of one at a time: else it is no use to share transactions.
    private static let gain = 2.0

    init(_ bench: Bench, in folder: URL) {
        self.bench = bench
        self.folder = folder
    }

    /// One device's part, from `call` to durable.
    private struct Job: Sendable {
        let name: String
        /// Events of each of its transactions.
        let eventCounts: [Int]
        let body: @Sendable (SampleRegistry, Applicant) throws -> Void
    }

    private static let jobs = [
        Job(name: "re-flash transactions", eventCounts: [2]) { sample, applicant in
            _ = try sample.registry.register(applicant.reflash, at: SampleDevice.date)
        },
        Job(name: "X.509 with CSR checked, registered and recorded", eventCounts: [2, 1]) {
            let result = try Verifier.appraise(request: $1.request, against: $1.expectation)
            try $1.enroll(.x509Chain, $1.claim(of: result), in: $0)
        },
        Job(name: "CWT, registered and recorded", eventCounts: [2, 1]) {
            try $1.enroll(.cwt, $1.claim, in: $0)
        },
    ]

    func figures() throws -> [Measurement] {
        try Self.jobs.enumerated().flatMap { number, job in
            let one = try measure(
                job, "\(number)-one", threads: 1, count: bench.isQuick ? 20 : 300)
            let grouped = try measure(
                job, "\(number)-group", threads: Self.threadCount,
                count: bench.isQuick ? 64 : 3200)
            let disk = try RawDisk.durableWritesPerSecond(
                in: folder, count: bench.isQuick ? 20 : 300)
            let name = "\(job.name), durable"
            return [
                // Nothing is asked: that is the disk's.
                Measurement(
                    "\(name), one at a time", one.rate, "/s",
                    beside: .init(
                        name: "fsync, \(job.eventCounts.count) each",
                        value: disk / Double(job.eventCounts.count))),
                Measurement(
                    "\(name), one at a time", one.rate, "/s",
                    beside: .init(name: "raw SQLite", value: one.rawRate), .atLeast(Self.share)),
                Measurement(
                    "\(name), \(Self.threadCount) threads", grouped.rate, "/s",
                    beside: .init(name: "one at a time", value: one.rate), .atLeast(Self.gain)),
                // Nothing is asked: where the disk is out of the way, checks and hashes are the rest.
                Measurement(
                    "\(name), \(Self.threadCount) threads", grouped.rate, "/s",
                    beside: .init(
                        name: "raw SQLite, \(Self.threadCount) to a transaction",
                        value: grouped.rawRate)),
            ]
        }
    }

    private func measure(
        _ job: Job, _ name: String, threads: Int, count: Int
    ) throws -> (rate: Double, rawRate: Double) {
        bench.progress("\(job.name), threads: \(threads)")
        let folder = folder.appending(path: "commits-\(name)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let sample = try SampleRegistry(in: folder, count: count)
        let applicants = try (0..<count).map { try Applicant($0, sample) }
        let file = URL(filePath: sample.registry.path)
        let raw = try RawSQLite(copying: file, to: folder.appending(path: "raw.sqlite"))
        var (seconds, rawSeconds) = (0.0, 0.0)
        // By turns: what else the machine does slows all of them.
        let turnLength = max(count / 10, threads)
        for start in stride(from: 0, to: count, by: turnLength) {
            let turn = Array(applicants[start..<min(start + turnLength, count)])
            seconds += try Bench.seconds {
                try Self.onThreads(threads, turn) { try job.body(sample, $0) }
            }
            rawSeconds += try raw.seconds(
                toFollow: file, eventCounts: job.eventCounts.map { $0 * threads })
        }
        return (Double(count) / seconds, Double(count) / rawSeconds)
    }

    /// Each applicant once, by so many threads at once.
    private static func onThreads(
        _ count: Int, _ applicants: [Applicant],
        _ body: @escaping @Sendable (Applicant) throws -> Void
    ) throws {
        let next = Mutex(0)
        let failure = Mutex<(any Error)?>(nil)
        let group = DispatchGroup()
        for _ in 0..<count {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                while let applicant = next.withLock({ index -> Applicant? in
                    defer { index += 1 }
                    return index < applicants.count ? applicants[index] : nil
                }) {
                    do {
                        try body(applicant)
                    } catch {
                        failure.withLock { $0 = $0 ?? error }
                        return
                    }
                }
            }
        }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// A device with a real key, which asks for its certificate.
private struct Applicant: Sendable {
    /// Of a new device, with the key that the request is about.
    let claim: RegistrationClaim
    /// Of a device that is registered, with another key.
    let reflash: RegistrationClaim
    /// PKCS#10, DER.
    let request: [UInt8]
    private let plan: IssuancePlan

    var expectation: RequestExpectation {
        RequestExpectation(
            identity: claim.identity, publicKey: claim.publicKey, probedID: nil)
    }

    /// What is registered is what the Verifier has established, as in a run.
    func claim(of result: AttestationResult) -> RegistrationClaim {
        var claim = claim
        claim.identity = result.identity
        claim.publicKey = result.publicKey
        claim.thumbprint = result.thumbprint
        claim.evidence = result.evidence
        claim.basis = result.basis
        claim.isPossessionProven = result.isPossessionProven
        return claim
    }

    init(_ number: Int, _ sample: SampleRegistry) throws {
        let key = try SigningKey.generate()
        reflash = sample.device(number).flashedAgain(1).claim
        var claim = sample.device(-1 - number).claim
        claim.publicKey = key.publicKey
        claim.thumbprint = COSEKey(p256: key.publicKey)?.thumbprint ?? []
        self.claim = claim
        let id = claim.identity.id.description
        request = try CertificateRequest(
            subject: DistinguishedName([.init(.commonName, id)]), key: key
        ).der
        let serial = [0x43] + SHA256.hash("applicant \(number)".utf8).prefix(15)
        plan = IssuancePlan(
            deviceID: id, board: claim.identity.board, publicKey: key.publicKey, types: [],
            serialNumbers: [.x509Chain: serial, .cwt: serial], notBefore: SampleDevice.date,
            notAfter: nil)
    }

    /// Registered before it is signed, recorded before it would be handed out.
    func enroll(
        _ type: CredentialType, _ claim: RegistrationClaim, in sample: SampleRegistry
    ) throws {
        var plan = plan
        plan.types = [type]
        plan.serialNumbers = plan.serialNumbers.filter { $0.key == type }
        _ = try sample.registry.register(claim, at: SampleDevice.date)
        try sample.registry.record(
            try sample.authority.sign(plan), for: claim.thumbprint, at: SampleDevice.date)
    }
}
