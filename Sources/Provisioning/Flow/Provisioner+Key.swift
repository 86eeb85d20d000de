internal import Attestation
internal import SMP

extension Provisioner {
    /// Opens the channel; its first request answers to no earlier run.
    func connect() throws(ProvisioningError) -> DeviceSession {
        let channel = try openChannel()
        do throws(ProvisioningError) {
            let firstSequence = try surroundings.randomBytes(1)[0]
            return DeviceSession(
                channel: channel, plan: plan, firstSequence: firstSequence, observer: observer)
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
        let id = try identity(of: description).id
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

    /// What the device says that it is. Nothing of it is proven yet.
    func identity(of description: DeviceDescription) throws(ProvisioningError) -> DeviceIdentity {
        guard let id = DeviceID(description.id) else {
            throw ProvisioningError(
                .protocolViolation,
                "the device says that its ID is \(description.id.count) octets long")
        }
        return DeviceIdentity(board: description.board, id: id)
    }

    /// The public key that the device has, or makes now. Nothing of it is proven yet.
    func key(of description: DeviceDescription, _ session: DeviceSession) throws(ProvisioningError)
        -> KeyDescription
    {
        observer.began(.key)
        let wanted = plan.keyID ?? description.keyIDs.min()
        let isThere = wanted.map(description.keyIDs.contains) ?? false
        let key: KeyDescription
        if isThere, let wanted {
            key = try session.call(contract.describeKey(wanted), to: "read key \(wanted)")
        } else {
            key = try makeKey(wanted ?? Self.firstKeyID, session)
        }
        observer.ended(
            .key,
            "key \(key.keyID), \(key.isImported ? "imported" : "made on the device")"
                + (isThere ? "" : ", just now"))
        return key
    }

    private func makeKey(_ keyID: UInt32, _ session: DeviceSession) throws(ProvisioningError)
        -> KeyDescription
    {
        let request = contract.makeKey(KeyRequest(keyID: keyID))
        if let made = try session.call(request, unless: .keyExists, to: "have a key made", .signing)
        {
            return made
        }
        // The answer to an earlier attempt was lost: this is the key that it made.
        return try session.call(contract.describeKey(keyID), to: "read key \(keyID)")
    }

    /// For a device without any key. Any would do.
    static let firstKeyID: UInt32 = 1

    var contract: DeviceContract { DeviceContract(group: plan.group) }
}
