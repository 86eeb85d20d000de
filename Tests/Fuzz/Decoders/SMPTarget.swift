internal import CBOR
internal import SMP

extension FuzzTarget {
    /// A device's answers to each call of the device contract, and whatever else it sends.
    static let smp = FuzzTarget("smp") { input in
        var choices = FuzzInput(input)
        let choice = choices.byte()
        let contract = DeviceContract()
        switch choice % 12 {
        case 0:
            try answer(contract.describeDevice(), choices.remainder()) { device in
                try require(
                    (1...64).contains(device.id.count), "an ID of \(device.id.count) octets")
                try require(device.chunkLength >= 16, "chunks of \(device.chunkLength) bytes")
                try require(Set(device.keyIDs).count == device.keyIDs.count, "a key ID twice")
            }
        case 1:
            try answer(contract.describeKey(1), choices.remainder()) { _ in }
        case 2:
            try answer(contract.makeKey(KeyRequest(keyID: nil)), choices.remainder()) { _ in }
        case 3: try answer(contract.eraseKey(1), choices.remainder()) { _ in }
        case 4: try answer(OSGroup.echo("hello"), choices.remainder()) { _ in }
        case 5: try answer(OSGroup.parameters(), choices.remainder()) { _ in }
        case 6: try answer(OSGroup.reset(), choices.remainder()) { _ in }
        case 7:
            let nonce = [UInt8](repeating: 7, count: 32)
            try read(contract.readEvidence(keyID: 1, nonce: nonce), limit: 4096, &choices)
        case 8: try read(contract.readCSR(keyID: 1), limit: 4096, &choices)
        case 9: try read(contract.readCredential(keyID: 1, type: 2), limit: 16384, &choices)
        case 10: try upload(contract, &choices)
        default: try listen(choices.remainder())
        }
    }

    /// The device answers a request with `payload`, in a frame of its own.
    private static func exchange(
        _ request: SMPRequest, _ payload: [UInt8]
    ) throws -> Result<CBORMap, SMPError> {
        var session = SMPSession(firstSequence: 5)
        _ = session.request(request, at: .zero)
        let header = SMPHeader(
            operation: request.operation.response, length: UInt16(payload.count),
            group: request.group, sequence: 5, command: request.command)
        let lines = try SerialFrame.lines(of: header.encoded() + payload)
        for effect in session.received(Array(lines.joined()), at: .zero) {
            if case .finished(let result) = effect { return result }
        }
        throw BrokenProperty("the answer to the open request ends nothing")
    }

    private static func answer<Answer>(
        _ call: SMPCall<Answer>, _ payload: [UInt8], _ check: (Answer) throws -> Void
    ) throws {
        guard let payload = try? exchange(call.request, payload).get(),
            let answer = try? call.answer(payload)
        else { return }
        try check(answer)
    }

    private static func read(
        _ transfer: ChunkedRead, limit: Int, _ choices: inout FuzzInput
    ) throws {
        var transfer = transfer
        var stepCount = 0
        while let call = transfer.next(), !choices.rest.isEmpty {
            stepCount += 1
            try require(stepCount <= ChunkedRead.maximumSteps, "\(stepCount) steps")
            guard let payload = try? exchange(call.request, choices.part()).get(),
                let chunk = try? call.answer(payload), (try? transfer.accept(chunk)) != nil
            else { return }
        }
        guard let data = transfer.data else { return }
        try require((1...limit).contains(data.count), "\(data.count) bytes were read")
    }

    private static func upload(_ contract: DeviceContract, _ choices: inout FuzzInput) throws {
        let data = [UInt8](repeating: 1, count: 256)
        var transfer = try contract.writeCredential(
            data, digest: [UInt8](repeating: 2, count: 32), keyID: 1, type: 1, chunkLength: 32)
        var stepCount = 0
        while let call = transfer.next(), !choices.rest.isEmpty {
            stepCount += 1
            try require(stepCount <= 24, "\(stepCount) steps for 8 parts")
            guard let payload = try? exchange(call.request, choices.part()).get(),
                let offset = try? call.answer(payload),
                (try? transfer.accept(expectedOffset: offset)) != nil
            else { return }
            try require((0...data.count).contains(transfer.progress), "at \(transfer.progress)")
        }
    }

    /// Anything at all, while a request is open.
    private static func listen(_ bytes: [UInt8]) throws {
        var settings = SMPSession.Settings()
        settings.maximumStrayFrames = 4
        settings.maximumByteCount = 1024
        var session = SMPSession(settings: settings, firstSequence: 5)
        _ = session.request(DeviceContract().describeDevice().request, at: .zero)
        var byteCount = 0
        var isOpen = true
        for piece in bytes.pieces(of: 16) {
            byteCount += piece.count
            for effect in session.received(Array(piece), at: .zero) {
                guard case .finished = effect else { continue }
                try require(isOpen, "a request that ends twice")
                isOpen = false
            }
        }
        try require(!isOpen || byteCount <= 1024, "no end after \(byteCount) bytes")
    }
}
