package import Attestation
package import CBOR
import COSE
import Foundation
package import OpenSSL
package import Provisioning
package import SMP

/// A device in memory that speaks the contract on the wire: frames in, frames out. It follows the
/// contract until a test's `reaction` says otherwise.
package final class SimulatedDevice: Channel {
    package struct Slot: Hashable {
        package let keyID: UInt32
        package let type: UInt64

        package init(keyID: UInt32, type: UInt64) {
            self.keyID = keyID
            self.type = type
        }
    }

    /// What the device does with one request, other than what the contract says.
    package enum Reaction {
        case obey
        /// The request never arrived.
        case miss
        /// It did what it was told, and the answer was lost.
        case loseAnswer
        case refuse(DeviceError)
        case refuseStatus(UInt64)
        case answer(CBORMap)
        /// Bytes on the line, in place of a frame.
        case send([UInt8])
        /// The cable came off, the user pressed Ctrl-C.
        case fail(ErrorCode)
    }

    package let name = "simulated"
    package var identity: DeviceIdentity
    package var keys: [UInt32: SigningKey] = [:]
    package var stored: [Slot: [UInt8]] = [:]
    package var chunkLength = 96
    package var importedKeys: Set<UInt32> = []
    /// Changes the claims before they are signed.
    package var claims: (inout CBORMap) -> Void = { _ in }
    /// Changes the evidence after it was signed.
    package var evidence: (inout [UInt8]) -> Void = { _ in }
    /// Signs instead of the key that the evidence names.
    package var signer: SigningKey?
    package var reaction: (SMPMessage) throws(ProvisioningError) -> Reaction = { _ in .obey }

    package private(set) var isClosed = false
    package private(set) var requests: [SMPMessage] = []
    package private(set) var nonces: [[UInt8]] = []
    private var decoder = SerialFrameDecoder()
    private var output: [UInt8] = []
    private var document: [UInt8] = []
    private var upload: (slot: Slot, length: Int, digest: [UInt8], data: [UInt8])?

    /// A device with the key that the library makes at first start.
    package init(_ id: String = "1f0c5a9922ee4b07", board: String = "testboard") throws {
        guard let id = DeviceID(hexadecimal: id) else {
            throw ProvisioningError(
                .usage, "\"\(id)\" is no device ID", hint: "write 1 to 64 octets in hexadecimal")
        }
        identity = DeviceIdentity(board: board, id: id)
        keys[1] = try SigningKey.generate()
    }

    package func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        if output.isEmpty { Thread.sleep(forTimeInterval: timeout / .seconds(1)) }
        defer { output.removeFirst(min(limit, output.count)) }
        return Array(output.prefix(limit))
    }

    package func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
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

    package func close() { isClosed = true }

    /// The same board after a restart: what was on its way is gone.
    package func restart() {
        isClosed = false
        reaction = { _ in .obey }
        output = []
        upload = nil
    }

    package var thumbprint: [UInt8] { COSEKey(p256: keys[keys.keys.min()!]!.publicKey)!.thumbprint }

    private func take(_ request: SMPMessage) throws {
        requests.append(request)
        switch try reaction(request) {
        case .obey: try respond(request, answer(request))
        case .miss: return
        case .loseAnswer: _ = try answer(request)
        case .refuse(let error): try respond(request, refusal(error))
        case .refuseStatus(let code): try respond(request, ["rc": .unsigned(code)])
        case .answer(let payload): try respond(request, payload)
        case .send(let bytes): output += bytes
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
            return chunk(of: document, at: offset)
        case DeviceContract.Command.credential where isWrite:
            return store(payload, Slot(keyID: keyID, type: payload["type"]!.unsigned!), offset)
        case DeviceContract.Command.credential:
            guard let data = stored[Slot(keyID: keyID, type: payload["type"]!.unsigned!)] else {
                return refusal(.noSuchKey)
            }
            var part = chunk(of: data, at: offset)
            if offset == 0 { part["sha256"] = .bytes(SHA256.hash(data)) }
            return part
        default: return refusal(.unsupported)
        }
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

    /// The log line with which a device that only prints reports its first key.
    package func reportLine(seed: [UInt8] = [UInt8](repeating: 1, count: 32)) throws -> String {
        let keyID = keys.keys.min()!
        try sign(seed, keyID, keys[keyID]!)
        let text = Data(document).base64EncodedString().replacing("+", with: "-")
            .replacing("/", with: "_").replacing("=", with: "")
        return ReportLine.marker + text
    }

    private func chunk(of document: [UInt8], at offset: Int) -> CBORMap {
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
    package func isWrite(_ command: UInt8) -> Bool {
        header.operation == .write && header.command == command
    }

    package func isRead(_ command: UInt8) -> Bool {
        header.operation == .read && header.command == command
    }
}
