import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Testing

/// The device library on the board in memory, as a host sees it. There is one per process.
struct Device {
    enum Group: UInt16 {
        case os = 0
        case provisioning = 8392
    }
    enum Operation: UInt8 {
        case read = 0
        case write = 2
    }
    enum Answer: Equatable {
        case payload(CBORMap)
        /// An error of the group, in version 2.
        case groupError(Int)
        /// An error of SMP itself, or any error in version 1.
        case error(Int)
        case silence
    }

    /// A blank board after its first start.
    static func blank() -> Device {
        test_board_reset()
        #expect(dp_start())
        return Device()
    }

    func restart() -> Bool {
        test_board_power_cycle()
        return dp_start()
    }

    func send(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        for byte in bytes { dp_receive(byte) }
        var length = 0
        let output = test_output_take(&length)
        return Array(UnsafeBufferPointer(start: output, count: length))
    }

    /// The answer's message to a message.
    func exchange(_ message: [UInt8]) throws -> [UInt8]? {
        let messages = try #require(SerialFraming.messages(send(SerialFraming.frame(message))))
        #expect(messages.count <= 1)
        return messages.first
    }

    func call(
        _ operation: Operation, _ command: UInt8, _ payload: CBORValue,
        group: Group = .provisioning, version: UInt8 = 1
    ) throws -> Answer {
        try call(operation, command, encoded: payload.encoded(), group: group, version: version)
    }

    func call(
        _ operation: Operation, _ command: UInt8, encoded body: [UInt8],
        group: Group = .provisioning, version: UInt8 = 1
    ) throws -> Answer {
        let sequence: UInt8 = 0x5a
        let header: [UInt8] = [
            version << 3 | operation.rawValue, 0, UInt8(body.count >> 8), UInt8(body.count & 0xff),
            UInt8(group.rawValue >> 8), UInt8(group.rawValue & 0xff), sequence, command,
        ]
        guard let answer = try exchange(header + body) else { return .silence }
        try #require(answer.count >= 8)
        #expect(answer[0] == version << 3 | operation.rawValue + 1)
        #expect(answer[1] == 0)
        #expect(Int(answer[2]) << 8 | Int(answer[3]) == answer.count - 8)
        #expect(Array(answer[4..<8]) == Array(header[4..<8]))
        let map = try #require(try CBORValue.decode(answer[8...]).map)
        if let code = map["rc"]?.integer { return .error(Int(code)) }
        guard let error = map["err"]?.map else { return .payload(map) }
        #expect(error["group"] == .int(Int(Group.provisioning.rawValue)))
        return .groupError(Int(try #require(error["rc"]?.integer)))
    }

    /// The answer's payload, if it is one.
    func payload(
        _ operation: Operation, _ command: UInt8, _ payload: CBORValue,
        group: Group = .provisioning
    ) throws -> CBORMap {
        let answer = try call(operation, command, payload, group: group)
        guard case .payload(let map) = answer else {
            Issue.record("\(answer) to command \(command)")
            throw UnexpectedAnswer()
        }
        return map
    }

    struct UnexpectedAnswer: Error {}
}

extension Device {
    enum Command {
        static let device: UInt8 = 0
        static let key: UInt8 = 1
        static let erase: UInt8 = 2
        static let evidence: UInt8 = 3
        static let csr: UInt8 = 4
        static let credential: UInt8 = 5
        static let lock: UInt8 = 6
        static let secret: UInt8 = 7
    }
    static let chunkLength = 384

    func publicKey(_ kid: Int) throws -> [UInt8]? {
        guard case .payload(let map) = try call(.read, Command.key, ["kid": .int(kid)]) else {
            return nil
        }
        return map["pub"]?.bytes
    }

    /// All of a document that is read by offset.
    func document(_ command: UInt8, _ opening: CBORMap) throws -> [UInt8] {
        var bytes: [UInt8] = []
        repeat {
            var request = opening
            if !bytes.isEmpty { request["nonce"] = nil }
            request["off"] = .int(bytes.count)
            let part = try payload(.read, command, .map(request))
            #expect(part["off"] == .int(bytes.count))
            let data = try #require(part["data"]?.bytes)
            try #require(!data.isEmpty)
            bytes += data
            let total = try #require(part["len"]?.integer)
            try #require(bytes.count <= Int(total))
            if bytes.count == Int(total) { return bytes }
        } while true
    }

    func evidence(_ kid: Int = 1, nonce: [UInt8]) throws -> [UInt8] {
        try document(Command.evidence, ["kid": .int(kid), "nonce": .bytes(nonce)])
    }

    func credential(_ kid: Int = 1, type: Int) throws -> [UInt8] {
        try document(Command.credential, ["kid": .int(kid), "type": .int(type)])
    }

    /// One write of `credential`, from `offset`.
    func write(
        _ credential: [UInt8], _ kid: Int = 1, type: Int, offset: Int, count: Int,
        digest: [UInt8]? = nil
    ) throws -> Answer {
        var request: CBORMap = [
            "kid": .int(kid), "type": .int(type), "off": .int(offset),
            "data": .bytes(Array(credential.dropFirst(offset).prefix(count))),
        ]
        if offset == 0 {
            request["len"] = .int(credential.count)
            request["sha256"] = .bytes(digest ?? sha256(credential))
        }
        return try call(.write, Command.credential, .map(request))
    }

    /// Writes all of `credential`; the answer to its last piece, or the first error.
    func install(
        _ credential: [UInt8], _ kid: Int = 1, type: Int, chunk: Int = chunkLength
    ) throws -> Answer {
        var offset = 0
        while true {
            let answer = try write(credential, kid, type: type, offset: offset, count: chunk)
            guard case .payload(let map) = answer, let next = map["off"]?.integer,
                next < credential.count, next > offset
            else { return answer }
            offset = Int(next)
        }
    }
}

/// Octets that tell their place, different for each seed.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed &* 101) }
}
