internal import Attestation
internal import SMP

/// The key that this run is about, as the device tells it. Nothing of it is proven yet.
struct DeviceKey {
    let keyID: UInt32
    /// COSE algorithm.
    let algorithm: Int64
    /// As sent: 65 octets for a P-256 point.
    let publicKey: [UInt8]
    let isImported: Bool
}

extension Provisioner {
    /// Opens the channel; its first request answers to no earlier run.
    func connect() throws(ProvisioningError) -> DeviceSession {
        let channel = try openChannel()
        do throws(ProvisioningError) {
            let firstSequence = try surroundings.randomBytes(1)[0]
            return DeviceSession(
                channel: channel, deadlines: plan.deadlines, firstSequence: firstSequence,
                observer: observer)
        } catch {
            channel.close()
            throw error
        }
    }

    /// Who are you? Checked against what the user and the platform expect, and what the probe read.
    func hello(_ session: DeviceSession, probedID: DeviceID?) throws(ProvisioningError)
        -> DeviceDescription
    {
        observer.began(.hello)
        let description = try session.call(
            contract.describeDevice(), to: "say hello to the device", .booting)
        guard let id = DeviceID(description.id) else {
            throw ProvisioningError(
                .protocolViolation,
                "the device says that its ID is \(description.id.count) octets long")
        }
        if let board = plan.board, board != description.board {
            throw ProvisioningError(
                .idMismatch,
                "the platform is for the board \(board), the device says \(description.board)",
                hint: "choose the platform of this board: provision platforms")
        }
        if let probedID, probedID != id {
            throw ProvisioningError(
                .idMismatch, "the probe read \(probedID), the device says \(id)",
                hint: "two boards are attached? select one with --device")
        }
        try checkSelected(id)
        observer.ended(.hello, "\(description.board) \(id), firmware \(description.firmware)")
        return description
    }

    /// The public key that the device has, or makes now.
    func key(of description: DeviceDescription, _ session: DeviceSession) throws(ProvisioningError)
        -> DeviceKey
    {
        observer.began(.key)
        let wanted = plan.keyID ?? description.keyIDs.min()
        let isThere = wanted.map(description.keyIDs.contains) ?? false
        let key: KeyDescription
        if isThere, let wanted {
            key = try session.call(contract.describeKey(wanted), to: "read key \(wanted)")
        } else {
            // With an ID of ours a repeat after a lost answer finds the key of the first attempt.
            let request = KeyRequest(keyID: wanted ?? Self.firstKeyID)
            key = try session.call(contract.makeKey(request), to: "have a key made", .signing)
        }
        observer.ended(
            .key,
            "key \(key.keyID), \(key.isImported ? "imported" : "made on the device")"
                + (isThere ? "" : ", just now"))
        return DeviceKey(
            keyID: key.keyID, algorithm: key.algorithm, publicKey: key.publicKey,
            isImported: key.isImported)
    }

    /// For a device without any key. Any would do.
    private static let firstKeyID: UInt32 = 1

    var contract: DeviceContract { DeviceContract() }
}
