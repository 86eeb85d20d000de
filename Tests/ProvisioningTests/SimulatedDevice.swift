import Attestation
import CBOR
import COSE
import Foundation
import OpenSSL
import Provisioning

import SMP

/// A device in memory that speaks the contract on the wire: frames in, frames out. It follows the
/// contract until a test's `reaction` says otherwise.
final class SimulatedDevice: Channel {
    struct Slot: Hashable {
        let keyID: UInt32
        let type: UInt64
    }

    /// What the device does with one request, other than what the contract says.
    enum Reaction {
        case obey
        /// The request never arrived.
        case miss
        /// It did what it was told, and the answer was lost.
        case loseAnswer
        case refuse(DeviceError)
        case refuseStatus(UInt64)
        case answer(CBORMap)
        /// The cable came off, the user pressed Ctrl-C.
        case fail(ErrorCode)
    }

    let name = "simulated"
    var identity: DeviceIdentity
    var keys: [UInt32: SigningKey] = [:]
    var stored: [Slot: [UInt8]] = [:]
    var chunkLength = 96
    var importedKeys: Set<UInt32> = []
    /// Changes the claims before they are signed.
    var claims: (inout CBORMap) -> Void = { _ in }
    /// Changes the evidence after it was signed.
    var evidence: (inout [UInt8]) -> Void = { _ in }
    /// Signs instead of the key that the evidence names.
    var signer: SigningKey?
    var reaction: (SMPMessage) throws(ProvisioningError) -> Reaction = { _ in .obey }

    private(set) var isClosed = false
    private(set) var requests: [SMPMessage] = []
    private(set) var nonces: [[UInt8]] = []
    private var decoder = SerialFrameDecoder()
    private var output: [UInt8] = []
    private var document: [UInt8] = []
    private var upload: (slot: Slot, length: Int, digest: [UInt8], data: [UInt8])?

    /// A device with the key that the library makes at first start.
    init(_ id: String = "1f0c5a9922ee4b07", board: String = "testboard") throws {
        identity = DeviceIdentity(board: board, id: DeviceID(hexadecimal: id)!)
        keys[1] = try SigningKey.generate()
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        if output.isEmpty { Thread.sleep(forTimeInterval: timeout / .seconds(1)) }
        defer { output.removeFirst(min(limit, output.count)) }
        return Array(output.prefix(limit))
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        for case .message(let frame) in decoder.push(bytes) {
            do {
                try take(SMPMessage(decoding: frame))
            } catch let error as ProvisioningError {
                throw error
            } catch {
                throw ProvisioningError(.internalFailure, "the simulated device: \(error)")
            }
        }
    }

    func close() { isClosed = true }

    /// The same board after a restart: what was on its way is gone.
    func restart() {
        isClosed = false
        reaction = { _ in .obey }
        output = []
        upload = nil
    }

    var thumbprint: [UInt8] { COSEKey(p256: keys[keys.keys.min()!]!.publicKey)!.thumbprint }

    private func take(_ request: SMPMessage) throws {
        requests.append(request)
        switch try reaction(request) {
        case .obey: try respond(request, answer(request))
        case .miss: return
        case .loseAnswer: _ = try answer(request)
        case .refuse(let error): try respond(request, refusal(error))
        case .refuseStatus(let code): try respond(request, ["rc": .unsigned(code)])
        case .answer(let payload): try respond(request, payload)
        case .fail(let code): throw ProvisioningError(code, "as the test wants it")
        }
    }

    private func respond(_ request: SMPMessage, _ payload: CBORMap) throws {
        let header = request.header
        let message = try SMPMessage(
            operation: header.operation.response, group: header.group, sequence: header.sequence,
            command: header.command, payload: payload)
        output += Array("a line of the log\n".utf8)
        output += try SerialFrame.lines(of: message.encoded()).joined()
    }

    private func refusal(_ error: DeviceError) -> CBORMap {
        [
            "err": .map([
                "group": .unsigned(UInt64(DeviceContract.standardGroup)),
                "rc": .unsigned(error.rawValue),
            ])
        ]
    }
}

// MARK: - The contract

extension SimulatedDevice {
    private func answer(_ request: SMPMessage) throws -> CBORMap {
        let payload = request.payload
        let keyID = UInt32(payload["kid"]?.unsigned ?? 0)
        let offset = Int(payload["off"]?.unsigned ?? 0)
        let isWrite = request.header.operation == .write
        switch request.header.command {
        case DeviceContract.Command.device: return description
        case DeviceContract.Command.key where isWrite: return try makeKey(keyID)
        case DeviceContract.Command.key: return describeKey(keyID)
        case DeviceContract.Command.evidence:
            guard let key = keys[keyID] else { return refusal(.noSuchKey) }
            if let nonce = payload["nonce"]?.bytes { try sign(nonce, keyID, key) }
            return chunk(at: offset)
        case DeviceContract.Command.credential where isWrite:
            return store(payload, Slot(keyID: keyID, type: payload["type"]!.unsigned!), offset)
        default: return refusal(.unsupported)
        }
    }

    /// The first part of the evidence over a nonce that is not quite the one of `request`.
    func evidence(
        overNonceOf request: SMPMessage, _ change: (inout [UInt8]) -> Void
    ) throws(ProvisioningError) -> CBORMap {
        var nonce = request.payload["nonce"]?.bytes ?? []
        change(&nonce)
        do {
            guard let (keyID, key) = keys.first else { return refusal(.noSuchKey) }
            try sign(nonce, keyID, key)
        } catch {
            throw ProvisioningError(.internalFailure, "the simulated device: \(error)")
        }
        return chunk(at: 0)
    }

    private var description: CBORMap {
        [
            "v": 1, "id": .bytes(identity.id.bytes), "board": .text(identity.board),
            "fw": "simulated 1.0", "algs": [-7],
            "keys": .array(keys.keys.sorted().map { .unsigned(UInt64($0)) }),
            "chunk": .int(chunkLength), "locked": false,
        ]
    }

    private func describeKey(_ keyID: UInt32) -> CBORMap {
        guard let key = keys[keyID] else { return refusal(.noSuchKey) }
        return [
            "kid": .unsigned(UInt64(keyID)), "alg": -7, "pub": .bytes(key.publicKey),
            "imported": .bool(importedKeys.contains(keyID)),
        ]
    }

    private func makeKey(_ keyID: UInt32) throws -> CBORMap {
        guard keys[keyID] == nil else { return refusal(.keyExists) }
        keys[keyID] = try SigningKey.generate()
        return describeKey(keyID)
    }

    private func sign(_ nonce: [UInt8], _ keyID: UInt32, _ key: SigningKey) throws {
        nonces.append(nonce)
        var hashes = CBORMap()
        for type in UInt64(1)...3 {
            guard let credential = stored[Slot(keyID: keyID, type: type)] else { continue }
            hashes[.unsigned(type)] = .bytes(SHA256.hash(credential))
        }
        var claims: CBORMap = [
            8: [1: COSEKey(p256: key.publicKey)!.cbor],
            10: .bytes(nonce),
            256: .bytes(UEID.derive(identity)),
            265: .text(Evidence.profile),
            275: 3,
            -65537: .bytes(identity.id.bytes),
            -65538: .text(identity.board),
            -65539: .map(hashes),
        ]
        self.claims(&claims)
        document = try COSESign1.sign(
            payload: CBORValue.map(claims).encoded(), using: signer ?? key
        ).encoded()
        evidence(&document)
    }

    private func chunk(at offset: Int) -> CBORMap {
        [
            "off": .int(offset), "len": .int(document.count),
            "data": .bytes(Array(document.dropFirst(offset).prefix(chunkLength))),
        ]
    }

    /// Visible only when the last byte is there and the digest is right.
    private func store(_ payload: CBORMap, _ slot: Slot, _ offset: Int) -> CBORMap {
        let data = payload["data"]!.bytes!
        guard data.count <= chunkLength else { return refusal(.badLengthOrOffset) }
        if offset == 0, upload?.slot != slot || upload?.digest != payload["sha256"]!.bytes! {
            upload = (slot, Int(payload["len"]!.unsigned!), payload["sha256"]!.bytes!, [])
        }
        guard var current = upload, current.slot == slot else { return ["off": 0] }
        if offset == current.data.count { current.data += data }
        upload = current
        if current.data.count == current.length {
            guard SHA256.hash(current.data) == current.digest else {
                upload = nil
                return refusal(.hashMismatch)
            }
            stored[slot] = current.data
        }
        return ["off": .int(current.data.count)]
    }
}

extension SMPMessage {
    func isWrite(_ command: UInt8) -> Bool {
        header.operation == .write && header.command == command
    }

    func isRead(_ command: UInt8) -> Bool {
        header.operation == .read && header.command == command
    }
}
