import Attestation
import CBOR
import Foundation
import Issuance
import SMP
import Testing

@testable import Channels
@testable import Provisioning

/// What a board says of itself and what it stores, read with the device protocol after the run.
struct StoredCredentials {
    /// Hexadecimal.
    let device: String
    let board: String
    /// SEC1, uncompressed.
    let publicKey: [UInt8]
    /// A CBOR array of DER, leaf first.
    let chain: [UInt8]
    let token: [UInt8]

    init(port: String) throws {
        let channel = try SerialPort(path: port, baud: 115200, interruption: try Interruption())
        defer { channel.close() }
        let contract = DeviceContract()
        var deadlines = ProvisioningPlan().deadlines
        deadlines.boot = .seconds(60)
        deadlines.answer = .seconds(20)
        let session = DeviceSession(
            channel: channel, contract: contract, deadlines: deadlines, firstSequence: 0,
            observer: Silence())
        let description = try session.call(contract.describeDevice(), to: "ask", .booting)
        device = try #require(DeviceID(description.id)).description
        board = description.board
        let keyID = try #require(description.keyIDs.first)
        publicKey = try session.call(contract.describeKey(keyID), to: "ask").publicKey
        chain = try session.read(
            contract.readCredential(keyID: keyID, type: CredentialType.x509Chain.rawValue),
            to: "read the chain")
        token = try session.read(
            contract.readCredential(keyID: keyID, type: CredentialType.cwt.rawValue),
            to: "read the CWT")
    }

    private final class Silence: RunObserver {
        func began(_ step: Step) {}
        func progressed(_ step: Step, done: Int, of total: Int) {}
        func ended(_ step: Step, _ summary: String) {}
        func noted(_ remark: String) {}
        func logged(_ text: [UInt8]) {}
    }

    /// That certificate and CWT are for this board's own key and ID, and for none of the `others`.
    func expectToBeItsOwn(
        among others: [StoredCredentials], at location: SourceLocation = #_sourceLocation
    ) {
        for credential in [("certificate", leaf), ("CWT", token)] {
            for board in others {
                let isOwn = board.device == device && board.board == self.board
                #expect(
                    credential.1.holds(board.publicKey[1...32]) == isOwn,
                    "the \(credential.0) of \(device) and the key of \(board.device)",
                    sourceLocation: location)
                // In the certificate as text, in the CWT as octets.
                let hasID =
                    credential.1.holds(Array(board.device.utf8))
                    || credential.1.holds(board.idOctets)
                #expect(
                    hasID == isOwn, "the \(credential.0) of \(device) and the ID \(board.device)",
                    sourceLocation: location)
            }
        }
    }

    /// The first of the chain; empty if it is none.
    private var leaf: [UInt8] {
        guard case .array(let certificates)? = try? CBORValue.decode(chain),
            case .bytes(let leaf)? = certificates.first
        else { return [] }
        return Array(leaf)
    }

    private var idOctets: [UInt8] { DeviceID(hexadecimal: device)?.bytes ?? [] }
}

extension [UInt8] {
    fileprivate func holds(_ part: some Collection<UInt8>) -> Bool {
        !part.isEmpty && Data(self).range(of: Data(part)) != nil
    }
}
