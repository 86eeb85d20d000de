import Attestation
import CBOR
import Foundation
import OpenSSL
import Provisioning
import SMP
import ProvisioningTesting
import Synchronization
import Testing

/// One way in which a device means harm, or is broken, and the code that the run must end with.
struct Hostility: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: ErrorCode
    let kind: Kind
    private let limit: Limit
    let behaviour: @Sendable (HostileLine, Victim) throws -> Void

    /// What it takes to carry it.
    enum Kind {
        /// Bytes, of which some may be frames.
        case line
        /// Frames and log text.
        case frames
        /// The same, with frames whose payload is no CBOR map. Without a checksum that is noise.
        case malformedFrames
    }

    /// What is waited for before it is given up.
    enum Limit {
        /// Nothing: what it sends is enough.
        case none
        /// That so much came, in bytes or in parts, that it is enough.
        case flood
        /// A first answer.
        case start
        /// Any other, which takes work or not.
        case answer, signature
        /// That the line takes what is sent.
        case write
        /// The end of the conversation.
        case conversation
    }

    func code(over way: HostileDesk.Way) -> ErrorCode {
        way == .raw && kind == .malformedFrames ? .noAnswer : code
    }

    func limit(over way: HostileDesk.Way) -> Limit {
        guard way == .raw, kind == .malformedFrames else { return limit }
        return limit == .none ? .start : limit
    }

    /// Given up by how much it sends, not by how long it takes: no clock may be faster.
    var isFlood: Bool { code == .byteFlood || code == .frameFlood }

    /// What it does with the line; the contract is not its business.
    init(
        onLine name: String, _ code: ErrorCode, within limit: Limit = .start,
        _ behaviour: @escaping @Sendable (HostileLine) throws -> Void
    ) {
        testDescription = name
        (self.code, self.limit, kind) = (code, limit, .line)
        self.behaviour = { line, _ in try behaviour(line) }
    }

    /// What it does otherwise than the contract says. It begins as the victim, with the victim's key,
    /// and no credential.
    init(
        _ name: String, _ code: ErrorCode, within limit: Limit = .none, _ kind: Kind = .frames,
        _ lie: @escaping @Sendable (SimulatedDevice, Victim) throws -> Void
    ) {
        testDescription = name
        (self.code, self.limit, self.kind) = (code, limit, kind)
        behaviour = { line, victim in
            let device = try victim.device()
            try lie(device, victim)
            try line.obey(device)
        }
    }

    /// It answers `read` of `command` with `change` of the right answer's fields.
    init(
        _ name: String, _ code: ErrorCode, to command: UInt8,
        _ answer: @escaping @Sendable (Victim) -> CBORMap
    ) {
        self.init(name, code) { device, victim in
            device.reaction = { request in
                request.isRead(command) ? .answer(answer(victim)) : .obey
            }
        }
    }

    /// It answers the first request with these bytes as CBOR.
    init(_ name: String, _ code: ErrorCode, payload: [UInt8]) {
        self.init(name, code, .malformedFrames) { device, _ in
            device.reaction = { .send(try! Frame.answer($0, payload: payload)) }
        }
    }
}

/// An honest device that was provisioned before, and what somebody who listened knows of it.
final class Victim: Sendable {
    let identity: DeviceIdentity
    let key: SigningKey
    private let overheard = Mutex<[[UInt8]]>([])

    init() throws {
        key = try SigningKey.generate()
        let id = (0..<8).map { _ in UInt8.random(in: .min ... .max) }
        identity = DeviceIdentity(board: "testboard", id: try #require(DeviceID(id)))
    }

    /// Evidence of its earlier run, in the order in which it was given.
    var evidence: [[UInt8]] { overheard.withLock { $0 } }

    /// The device itself, with no credential.
    func device() throws -> SimulatedDevice {
        let device = try SimulatedDevice()
        device.identity = identity
        device.keys = [1: key]
        return device
    }

    func behave(_ line: HostileLine) throws {
        let device = try device()
        device.evidence = { [self] bytes in overheard.withLock { $0.append(bytes) } }
        try line.obey(device)
    }

    /// What it says to hello.
    var description: CBORMap {
        [
            "v": 1, "id": .bytes(identity.id.bytes), "board": .text(identity.board),
            "fw": "simulated 1.0", "algs": [-7], "keys": [1], "chunk": 96, "locked": false,
        ]
    }

    func description(_ key: String, _ value: CBORValue) -> CBORMap {
        var description = description
        description[.text(key)] = value
        return description
    }
}
