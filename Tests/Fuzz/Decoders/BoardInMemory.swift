internal import CBOR
internal import DeviceProvisioning
internal import DeviceTestHAL
internal import OpenSSL
internal import SMP
internal import Synchronization

/// The device library on the board in memory: there is one per process.
struct BoardInMemory: ~Copyable {
    /// A request may have taken key 1 from the device.
    private var mayHaveLostKey = false
    private var key: [UInt8]?
    private var decoder = SerialFrameDecoder()

    private static let isUsed = Mutex(())
    /// The flash behind a first start, so that not every run makes a key.
    private static let started = Mutex<[UInt8]>([])

    /// Lets one caller at a time have the board.
    static func use(_ body: (inout BoardInMemory) throws -> Void) throws {
        try isUsed.withLock { _ in
            test_board_reset()
            var board = BoardInMemory()
            try body(&board)
        }
    }

    /// A device in its second run.
    mutating func start() throws {
        Self.started.withLock { flash in
            if flash.isEmpty {
                _ = dp_start()
                flash = Array(
                    UnsafeBufferPointer(start: test_flash_bytes(), count: Int(test_flash_size())))
                test_board_power_cycle()
            } else {
                test_flash_restore(flash)
            }
        }
        try require(dp_start(), "the device does not start")
        key = try publicKey()
        try require(key != nil, "a device without a key")
    }

    mutating func restart() throws {
        test_board_power_cycle()
        try require(dp_start(), "the device does not start again")
    }

    func cutPower(after count: Int, _ tear: test_tear) {
        test_flash_cut_at(test_flash_operations() + UInt32(count), tear)
    }

    /// Anything at all, from the host.
    mutating func receive(_ bytes: [UInt8]) throws {
        // What the device may take for a request, this host's own decoder sees, too.
        for case .message(let message) in decoder.push(bytes) {
            guard let header = SMPHeader(message) else { continue }
            note(header, Array(message.dropFirst(SMPHeader.byteCount)))
        }
        for byte in bytes { dp_receive(byte) }
        _ = takeOutput()
    }

    /// Anything at all, on a line without framing.
    mutating func receive(raw bytes: [UInt8]) {
        // Only the device knows what it takes for a request.
        mayHaveLostKey = true
        for byte in bytes { dp_receive_raw(byte) }
        dp_receive_pause()
        _ = takeOutput()
    }

    mutating func receive(datagram bytes: [UInt8]) {
        mayHaveLostKey = true
        bytes.withUnsafeBufferPointer { dp_receive_datagram($0.baseAddress, $0.count) }
        _ = takeOutput()
    }

    /// One request, and what came back; nil for none.
    @discardableResult
    mutating func answer(_ header: SMPHeader, _ payload: [UInt8]) throws -> CBORMap? {
        var header = header
        header.length = UInt16(payload.count)
        note(header, payload)
        let lines = try SerialFrame.lines(of: header.encoded() + payload)
        for byte in [0x0a] + lines.joined() { dp_receive(byte) }
        var answers = SerialFrameDecoder()
        let events = answers.push(takeOutput())
        guard let event = events.first else {
            // The message does not fit the device's buffer of 512 bytes.
            try require(payload.count > 504, "no answer to \(payload.count) bytes")
            return nil
        }
        guard case .message(let message) = event, events.count == 1 else {
            throw BrokenProperty("the device answers \(events)")
        }
        let answer = try SMPMessage(decoding: message)
        try require(
            answer.header.operation == header.operation.response
                && answer.header.group == header.group
                && answer.header.command == header.command,
            "an answer to another request: \(answer.header)")
        try checkAgreement(answer.payload, payload)
        return answer.payload
    }

    /// What the device reads, the host's decoder reads, too, but for keys twice, which the device
    /// notices in its own fields only.
    private func checkAgreement(_ answer: CBORMap, _ request: [UInt8]) throws {
        let invalidValue = SMPStatus.invalidValue.rawValue
        guard answer["rc"]?.unsigned != invalidValue, answer["rc"] == nil else { return }
        do {
            try require(
                CBORValue.decode(request).map != nil, "the device takes no map for a request")
        } catch let error as CBORError {
            try require(
                error.code == .duplicateKey, "the device reads what the host can't: \(error)")
        }
    }

    private mutating func note(_ header: SMPHeader, _ payload: [UInt8]) {
        let commands = [DeviceContract.Command.key, DeviceContract.Command.erase]
        guard header.group == DeviceContract.standardGroup, header.operation == .write,
            commands.contains(header.command)
        else { return }
        guard let map = (try? CBORValue.decode(payload))?.map else {
            mayHaveLostKey = true
            return
        }
        let isOtherKey = map["kid"] != nil && map["kid"] != 1
        let onlyAdds = header.command == DeviceContract.Command.key && map["replace"] != true
        if !isOtherKey && !onlyAdds { mayHaveLostKey = true }
    }

    /// After a restart with power.
    mutating func checkAfterwards() throws {
        try restart()
        let found = try publicKey()
        try require(mayHaveLostKey || found == key, "another key 1, and nobody asked for it")
        try checkAlive()
        try require(
            test_flash_breaches() == 0, "\(test_flash_breaches()) breaches of flash's rules")
    }

    mutating func checkAlive() throws {
        let device = SMPHeader(
            operation: .read, length: 0, group: DeviceContract.standardGroup, sequence: 9,
            command: DeviceContract.Command.device)
        let description = try answer(device, CBORValue.map([:]).encoded())
        try require(description?["v"] == 1, "the device does not describe itself")
    }

    private mutating func publicKey() throws -> [UInt8]? {
        let read = SMPHeader(
            operation: .read, length: 0, group: DeviceContract.standardGroup, sequence: 9,
            command: DeviceContract.Command.key)
        return try answer(read, CBORValue.map(["kid": 1]).encoded())?["pub"]?.bytes
    }

    private func takeOutput() -> [UInt8] {
        var length = 0
        let output = test_output_take(&length)
        return Array(UnsafeBufferPointer(start: output, count: length))
    }
}

extension BoardInMemory {
    /// A whole credential of 4 octets.
    static let credential = CBORValue.map([
        "kid": 1, "type": 1, "off": 0, "len": 4, "data": .bytes([1, 2, 3, 4]),
        "sha256": .bytes(SHA256.hash([1, 2, 3, 4])),
    ]).encoded()

    /// Fills the flash: as it stands, or as records of a sealed bank.
    func fill(_ input: [UInt8]) {
        var choices = FuzzInput(input)
        let choice = choices.byte()
        var bytes = [UInt8](repeating: 0xff, count: Int(test_flash_size()))
        let base = choice & 2 == 0 ? 0 : bytes.count / 2
        let content = choice & 1 == 0 ? choices.remainder() : Self.bank(&choices)
        for (index, byte) in content.prefix(bytes.count - base).enumerated() {
            bytes[base + index] = byte
        }
        test_flash_restore(bytes)
    }

    /// `store.h`: a generation, then records with a kind, an ID and data, each one committed or not.
    private static func bank(_ choices: inout FuzzInput) -> [UInt8] {
        let generation = UInt32(choices.number())
        var bank = littleEndian(generation) + littleEndian(~generation)
        bank += littleEndian(0x3153_5044)
        while !choices.rest.isEmpty, bank.count < 8192 {
            let flags = choices.byte()
            let kind = UInt32(choices.byte())
            // Small IDs, and those at the end of their range.
            let id = UInt32(bitPattern: Int32(Int8(bitPattern: choices.byte())))
            let data = choices.bytes(Int(choices.byte()))
            let first = UInt32(data.count) << 16 | kind << 8 | 0xd5
            bank += littleEndian(first) + littleEndian(id)
            bank += littleEndian(flags & 2 == 0 ? check(first, id) : 0)
            bank += data + [UInt8](repeating: 0xff, count: (4 - data.count % 4) % 4)
            bank += littleEndian(flags & 1 == 0 ? 0x4b4f_4344 : .max)
        }
        return bank
    }

    /// FNV-1a over the first word and the ID, octet by octet in turn, without the top bit.
    private static func check(_ first: UInt32, _ id: UInt32) -> UInt32 {
        var check: UInt32 = 0x811c_9dc5
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            check = (check ^ (first >> shift & 0xff)) &* 0x0100_0193
            check = (check ^ (id >> shift & 0xff)) &* 0x0100_0193
        }
        return check & 0x7fff_ffff
    }

    private static func littleEndian(_ word: UInt32) -> [UInt8] {
        withUnsafeBytes(of: word.littleEndian, Array.init)
    }
}
