import Attestation
import CBOR
import COSE
import Foundation
import OpenSSL
import Provisioning
import SMP
import ProvisioningTesting

extension Hostility {
    /// Whole answers, well-formed, by somebody who is not whom they are about.
    static let evidence = [
        Hostility("evidence of an earlier run", .evidenceReplayed) { device, victim in
            device.evidence = { $0 = victim.evidence[0] }
        },
        Hostility("another key's signature", .evidenceSignature) { device, _ in
            device.signer = try SigningKey.generate()
        },
        Hostility("a changed byte", .evidenceSignature) { device, _ in
            device.evidence = { $0[$0.count - 1] ^= 1 }
        },
        Hostility("another device's ID in the evidence", .idMismatch) { device, victim in
            device.identity = try Victim().identity
            device.claims = {
                $0[-65537] = .bytes(victim.identity.id.bytes)
                $0[256] = .bytes(UEID.derive(victim.identity))
            }
        },
        Hostility("another device's ID all along", .replacementUnproven) { device, _ in
            device.keys = [1: try SigningKey.generate()]
        },
        Hostility("another device's key", .keyShared) { device, _ in
            device.identity = try Victim().identity
        },
        Hostility("another ID in the evidence than at first", .idMismatch) { device, _ in
            let other = try Victim().identity
            device.claims = {
                $0[-65537] = .bytes(other.id.bytes)
                $0[256] = .bytes(UEID.derive(other))
            }
        },
        Hostility("a point that is not on the curve", .keyInvalid) { device, victim in
            let point = [4] + [UInt8](repeating: 0xff, count: 64)
            device.reaction = { request in
                guard request.isRead(DeviceContract.Command.key) else { return .obey }
                return .answer(["kid": 1, "alg": -7, "pub": .bytes(point), "imported": false])
            }
            device.claims = { claims in
                claims[8] = .map([1: COSEKey(p256: point)!.cbor])
            }
        },
        Hostility("evidence that holds a length of 4 GiB", .evidenceMalformed) { device, _ in
            device.evidence = { $0 = [0xd2, 0x84, 0x5b, 0, 0, 0, 1, 0, 0, 0, 0] }
        },
        Hostility("evidence that nests deeply", .evidenceMalformed) { device, _ in
            device.evidence = { $0 = [0xd2] + [UInt8](repeating: 0x84, count: 4000) }
        },
        Hostility("another profile", .evidenceProfile) { device, _ in
            device.claims = { $0[265] = "tag:other,2026:evidence#1" }
        },
    ]

    /// It is believed, its key is registered, and then it turns.
    static let afterRegistration = [
        Hostility("the confirmation signed by another key", .confirmFailed) { device, _ in
            device.afterFirstEvidence { $0.signer = try! SigningKey.generate() }
        },
        Hostility("the first evidence once more", .confirmFailed) { device, _ in
            let first = Box<[UInt8]>([])
            device.evidence = { bytes in
                if first.value.isEmpty { first.value = bytes } else { bytes = first.value }
            }
        },
        Hostility("a certificate with one bit changed", .credentialMismatch) { device, _ in
            device.afterFirstEvidence { device in
                let slot = SimulatedDevice.Slot(keyID: 1, type: 1)
                device.stored[slot]![100] ^= 1
            }
        },
        Hostility("a certificate named, and another stored", .credentialMismatch) { device, _ in
            device.afterFirstEvidence { device in
                device.nameWhatWasGiven()
                device.stored[SimulatedDevice.Slot(keyID: 1, type: 1)]![100] ^= 1
            }
        },
        Hostility("a CWT named rightly and stored in part", .credentialMismatch) { device, _ in
            device.afterFirstEvidence { device in
                device.nameWhatWasGiven()
                device.stored[SimulatedDevice.Slot(keyID: 1, type: 2)]!.removeLast()
            }
        },
        Hostility("certificates named rightly and not stored", .credentialMismatch) { device, _ in
            device.afterFirstEvidence { device in
                device.nameWhatWasGiven()
                device.stored = [:]
            }
        },
        Hostility("a credential that nobody gave", .credentialMismatch) { device, _ in
            device.afterFirstEvidence { device in
                device.stored[SimulatedDevice.Slot(keyID: 1, type: 3)] = [1]
            }
        },
        Hostility("a delivery that does not advance", .installFailed) { device, _ in
            device.onDelivery { .answer(["off": 0]) }
        },
        Hostility("a delivery at 4 GiB", .installFailed) { device, _ in
            device.onDelivery { .answer(["off": 4_294_967_296]) }
        },
        Hostility("a delivery at a negative offset", .installFailed) { device, _ in
            device.onDelivery { .answer(["off": -1]) }
        },
        Hostility("a delivery that is refused", .installFailed) { device, _ in
            device.onDelivery { .refuse(.hashMismatch) }
        },
        Hostility(
            "a delivery answered by nesting", .installFailed, within: .answer, .malformedFrames
        ) { device, _ in
            device.reaction = { request in
                guard request.isWrite(DeviceContract.Command.credential) else { return .obey }
                let payload = [0xa1, 0x61, 0x61] + [UInt8](repeating: 0x81, count: 500) + [0]
                return .send(try! Frame.answer(request, payload: payload))
            }
        },
        Hostility("silence when it is delivered to", .deviceSilent, within: .answer) { device, _ in
            device.onDelivery { .miss }
        },
        Hostility("noise when it is delivered to", .byteFlood, within: .flood) { device, _ in
            device.onDelivery { .send([UInt8](repeating: 0x41, count: 5 << 20)) }
        },
    ]
}

/// What a device remembers between two answers; its thread is the only one that looks.
private final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}

extension SimulatedDevice {
    fileprivate func onDelivery(_ answer: @escaping () -> Reaction) {
        reaction = { request in
            request.isWrite(DeviceContract.Command.credential) ? answer() : .obey
        }
    }

    /// Has all further evidence name what is stored now, whatever happens to it.
    fileprivate func nameWhatWasGiven() {
        var digests = CBORMap()
        for (slot, credential) in stored {
            digests[.unsigned(slot.type)] = .bytes(SHA256.hash(credential))
        }
        claims = { $0[-65539] = .map(digests) }
    }

    /// Has `turn` run once, when the second nonce comes.
    fileprivate func afterFirstEvidence(_ turn: @escaping (SimulatedDevice) -> Void) {
        let first = Box<[UInt8]?>(nil)
        let hasTurned = Box(false)
        reaction = { [unowned self] request in
            guard let nonce = request.payload["nonce"]?.bytes else { return .obey }
            if first.value == nil { first.value = nonce }
            // A repeated request has the nonce of its first attempt.
            if nonce != first.value, !hasTurned.value {
                hasTurned.value = true
                turn(self)
            }
            return .obey
        }
    }
}
