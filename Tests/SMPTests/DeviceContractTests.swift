import CBOR
import SMP
import Testing

struct DeviceContractTests {
    private let contract = DeviceContract()

    private let description: CBORMap = [
        "v": 1, "id": .bytes([1, 2]), "board": "microbit", "fw": "app 1.0", "algs": [-7, -19],
        "keys": [1, 4_294_967_295], "chunk": 256, "locked": false,
    ]
    private let key: CBORMap = [
        "kid": 7, "alg": -7, "pub": .bytes([UInt8](repeating: 4, count: 65)), "imported": false,
    ]

    private func encoded(_ request: SMPRequest) -> [UInt8] {
        CBORValue.map(request.payload).encoded()
    }

    @Test func requestsCarryTheContractsKeys() {
        let device = contract.describeDevice().request
        #expect(device == SMPRequest(.read, group: 8392, command: 0, isIdempotent: true))
        #expect(
            DeviceContract(group: 64).lock().request
                == SMPRequest(.write, group: 64, command: 6, isIdempotent: true))
        let erase = contract.eraseKey(.max).request
        #expect(erase.command == 2 && erase.operation == .write)
        #expect(encoded(erase) == hex("a1 636b6964 1affffffff"))
        #expect(encoded(contract.describeKey(1).request) == hex("a1 636b6964 01"))
        #expect(encoded(contract.makeKey(KeyRequest()).request) == hex("a0"))
        let full = KeyRequest(keyID: 1, algorithm: -7, importing: [9], replaces: true)
        #expect(
            encoded(contract.makeKey(full).request)
                == hex("a4 63616c6726 636b696401 6576616c75654109 677265706c616365f5"))
        let secret = contract.writeSecret(encrypted: [1], slot: 2).request
        #expect(encoded(secret) == hex("a2 64646174614101 64736c6f7402"))
        #expect(secret.command == 7)
    }

    @Test func onlyHarmlessKeyRequestsAreRepeated() {
        #expect(contract.makeKey(KeyRequest(keyID: 1)).request.isRepeatable)
        #expect(!contract.makeKey(KeyRequest()).request.isRepeatable)
        #expect(!contract.makeKey(KeyRequest(keyID: 1, replaces: true)).request.isRepeatable)
    }

    @Test func importedKeysAreNotPrinted() {
        let request = KeyRequest(keyID: 1, importing: [0xAB, 0xCD])
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("171") && !text.lowercased().contains("ab"))
        }
    }

    @Test func aDeviceIsDescribed() throws {
        var payload = description
        payload["later"] = [1, 2]
        payload[99] = true
        let device = try contract.describeDevice().answer(payload)
        #expect(device.id == [1, 2])
        #expect(device.board == "microbit")
        #expect(device.firmware == "app 1.0")
        #expect(device.algorithms == [-7, -19])
        #expect(device.keyIDs == [1, .max])
        #expect(device.chunkLength == 256)
        #expect(!device.isLocked)
    }

    @Test(
        arguments: [
            ("id", .bytes([])), ("id", .bytes([UInt8](repeating: 0, count: 65))), ("id", "text"),
            ("board", ""), ("board", .text(String(repeating: "b", count: 65))),
            ("board", "a\u{1B}[2J"),
            ("board", "a\nb"), ("board", "a\u{202E}b"), ("board", .bytes([65])),
            ("fw", .text(String(repeating: "f", count: 65))), ("fw", "\u{7}"), ("algs", []),
            ("algs", -7), ("algs", ["ES256"]), ("algs", .array(.init(repeating: -7, count: 17))),
            ("keys", [-1]), ("keys", [4_294_967_296]), ("keys", [1, 1]),
            ("keys", .array((0..<65).map { .int($0) })), ("chunk", 15), ("chunk", 32769),
            ("chunk", -1), ("chunk", .unsigned(.max)), ("locked", 0), ("locked", .null), ("v", "1"),
        ] as [(String, CBORValue)])
    func aDescriptionIsBounded(key: String, value: CBORValue) {
        var payload = description
        payload[.text(key)] = value
        expectMalformed(naming: key) { _ = try contract.describeDevice().answer(payload) }
    }

    @Test(
        arguments: [
            ("id", .bytes([UInt8](repeating: 0, count: 65))),
            ("fw", .text(String(repeating: "f", count: 65))),
            ("algs", .array(.init(repeating: -7, count: 17))),
            ("keys", .array((0..<65).map { .int($0) })), ("chunk", .unsigned(1 << 32)),
        ] as [(String, CBORValue)])
    func tooMuchIsNotMerelyWrong(key: String, value: CBORValue) {
        var payload = description
        payload[.text(key)] = value
        let error = #expect(throws: SMPError.self) {
            try contract.describeDevice().answer(payload)
        }
        guard case .oversized? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["v", "id", "board", "fw", "algs", "keys", "chunk", "locked"])
    func aDescriptionIsComplete(key: String) {
        var payload = description
        payload[.text(key)] = nil
        expectMalformed(naming: key) { _ = try contract.describeDevice().answer(payload) }
    }

    @Test func anotherVersionIsNamed() {
        var payload = description
        payload["v"] = 2
        #expect(throws: SMPError.unsupportedVersion(2)) {
            try contract.describeDevice().answer(payload)
        }
    }

    @Test func aKeyIsDescribed() throws {
        let described = try contract.describeKey(7).answer(key)
        #expect(described.keyID == 7)
        #expect(described.algorithm == -7)
        #expect(described.publicKey.count == 65)
        #expect(!described.isImported)
        #expect(try contract.makeKey(KeyRequest()).answer(key).keyID == 7)
        expectMalformed(naming: "kid") { _ = try contract.describeKey(8).answer(key) }
    }

    @Test(
        arguments: [
            ("kid", -1), ("kid", 4_294_967_296), ("alg", "ES256"), ("alg", .unsigned(.max)),
            ("pub", .bytes([])), ("pub", .bytes([UInt8](repeating: 4, count: 64))),
            ("pub", .bytes([UInt8](repeating: 4, count: 134))), ("alg", -35), ("alg", -19),
            ("imported", 1),
        ] as [(String, CBORValue)])
    func aKeyIsBounded(name: String, value: CBORValue) {
        var payload = key
        payload[.text(name)] = value
        let call = contract.makeKey(KeyRequest())
        let blamed = name == "alg" && value.integer != nil ? "pub" : name
        expectMalformed(naming: blamed) { _ = try call.answer(payload) }
    }

    @Test func deviceErrorsHaveTheirNames() {
        for (code, error) in zip(UInt64(1)...10, DeviceError.allCases) {
            #expect(contract.deviceError(.group(8392, code: code)) == error)
        }
        #expect(contract.deviceError(.group(8392, code: 11)) == nil)
        #expect(contract.deviceError(.group(3, code: 5)) == nil)
        #expect(contract.deviceError(.status(.notSupported)) == nil)
        #expect("\(DeviceError.keyExists)" == "key exists")
    }

    private func expectMalformed(
        naming key: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        let error = #expect(throws: SMPError.self, sourceLocation: sourceLocation) { try body() }
        switch error {
        case .malformed(let reason), .oversized(let reason):
            #expect(reason.contains("\"\(key)\""), sourceLocation: sourceLocation)
        default: Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
        }
    }
}
