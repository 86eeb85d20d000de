import CBOR
import SMP
import Testing

struct TransferTests {
    private let contract = DeviceContract()
    private let digest = [UInt8](repeating: 5, count: 32)
    private let data = (0..<450).map { UInt8($0 & 0xFF) }

    private func upload(_ chunkLength: Int = 100) throws -> CredentialUpload {
        try contract.writeCredential(
            data, digest: digest, keyID: 1, type: 2, chunkLength: chunkLength)
    }

    // MARK: Reading

    @Test(arguments: [1, 99, 100, 101, 450, 4096])
    func readsTheWhole(length: Int) throws {
        var device = ScriptedDevice()
        device.evidence = (0..<length).map { UInt8($0 & 0xFF) }
        var read = contract.readEvidence(keyID: 1, nonce: [UInt8](repeating: 9, count: 8))
        while let call = read.next() {
            let isFirst = call.request.payload["off"] == 0
            #expect((call.request.payload["nonce"] != nil) == isFirst)
            #expect(read.data == nil)
            try read.accept(call.perform(&device))
        }
        #expect(read.data == device.evidence)
        #expect(read.digest == nil)
        #expect(device.requestCount == (length + 99) / 100)
    }

    @Test func theFirstReadIsAsTheContractSays() throws {
        let evidence = contract.readEvidence(keyID: 1, nonce: [1, 2, 3, 4, 5, 6, 7, 8])
        let request = try #require(evidence.next()).request
        #expect(request.operation == .read && request.command == 3 && request.group == 8392)
        #expect(
            CBORValue.map(request.payload).encoded()
                == hex("a3 636b6964 01 636f6666 00 656e6f6e6365 48 0102030405060708"))
        let csr = try #require(contract.readCSR(keyID: 2).next()).request
        #expect(csr.command == 4)
        #expect(CBORValue.map(csr.payload).encoded() == hex("a2 636b6964 02 636f6666 00"))
    }

    @Test func credentialsComeWithTheirDigest() throws {
        var device = ScriptedDevice()
        device.stored = data
        var read = contract.readCredential(keyID: 1, type: 1)
        while let call = read.next() {
            #expect(call.request.payload["type"] == 1)
            try read.accept(call.perform(&device))
        }
        #expect(read.data == data)
        #expect(read.digest == digest)
        let first = try #require(contract.readCredential(keyID: 1, type: 2).next())
        #expect(throws: SMPError.self) {
            try first.answer(["off": 0, "len": 1, "data": .bytes([1])])
        }
    }

    @Test(
        arguments: [
            ["off": 0, "len": 4097, "data": .bytes([1])], ["off": 0, "len": 0, "data": .bytes([])],
            ["off": 0, "len": 4, "data": .bytes([])],
            ["off": 0, "len": 2, "data": .bytes([1, 2, 3])],
            ["off": 1, "len": 4, "data": .bytes([1])], ["off": 0, "len": 4, "data": "text"],
            ["off": 0, "len": 4], ["len": 4, "data": .bytes([1])], ["off": 0, "data": .bytes([1])],
            ["off": -1, "len": 4, "data": .bytes([1])], ["off": 0, "len": -1, "data": .bytes([1])],
            ["off": 0, "len": .unsigned(.max), "data": .bytes([1])], [:],
        ] as [CBORMap])
    func partsAreBounded(_ payload: CBORMap) throws {
        let call = try #require(contract.readCSR(keyID: 1).next())
        #expect(throws: SMPError.self) { try call.answer(payload) }
    }

    @Test func aWholeKeepsItsLength() throws {
        var read = contract.readCSR(keyID: 1)
        let first = try #require(read.next())
        try read.accept(first.answer(["off": 0, "len": 4, "data": .bytes([1])]))
        let second = try #require(read.next())
        #expect(second.request.payload["off"] == 1)
        let longer = try second.answer(["off": 1, "len": 5, "data": .bytes([1])])
        #expect(throws: SMPError.self) { try read.accept(longer) }
        // The same part twice does not count twice.
        let part = try second.answer(["off": 1, "len": 4, "data": .bytes([2])])
        try read.accept(part)
        #expect(throws: SMPError.self) { try read.accept(part) }
        #expect(read.data == nil)
    }

    @Test func dripFedReadsEnd() throws {
        var device = ScriptedDevice(evidence: [UInt8](repeating: 1, count: 4096), chunkLength: 1)
        var read = contract.readCSR(keyID: 1)
        let error = #expect(throws: SMPError.self) {
            while let call = read.next() { try read.accept(call.perform(&device)) }
        }
        #expect(error == .stalled(steps: 1025, offset: 1024))
    }

    // MARK: Writing

    @Test(arguments: [1, 16, 100, 449, 450, 451, 32768])
    func writesTheWhole(chunkLength: Int) throws {
        var device = ScriptedDevice()
        var upload = try upload(chunkLength)
        while let call = upload.next() {
            let payload = call.request.payload
            #expect((payload["len"] != nil) == (payload["off"] == 0))
            #expect((payload["sha256"] != nil) == (payload["off"] == 0))
            #expect(payload["data"]!.bytes!.count <= chunkLength)
            try upload.accept(expectedOffset: call.perform(&device))
        }
        #expect(upload.isComplete && upload.progress == 450)
        #expect(device.stored == data)
        #expect(device.requestCount == (450 + chunkLength - 1) / chunkLength)
    }

    @Test func theFirstWriteIsAsTheContractSays() throws {
        var upload = try contract.writeCredential(
            [1, 2, 3], digest: digest, keyID: 1, type: 2, chunkLength: 2)
        let first = upload.next()
        let request = try #require(first).request
        #expect(request.operation == .write && request.command == 5)
        #expect(
            CBORValue.map(request.payload).encoded()
                == hex("a6 636b6964 01 636c656e 03 636f6666 00 6464617461 42 0102 6474797065 02")
                + hex("66736861323536 5820") + digest)
    }

    /// Each answer lost once: the device executed what the host repeats.
    @Test func lostAnswersAreHarmless() throws {
        var device = ScriptedDevice()
        var upload = try upload()
        while let call = upload.next() {
            _ = try call.perform(&device)
            try upload.accept(expectedOffset: call.perform(&device))
        }
        #expect(device.stored == data)
        #expect(device.requestCount == 10)
    }

    @Test func aDeviceThatLostItsPartGetsItAgain() throws {
        var device = ScriptedDevice()
        var upload = try upload()
        var isFirstLoss = true
        while let call = upload.next() {
            var expected = try call.perform(&device)
            if expected == 300, isFirstLoss {
                isFirstLoss = false
                device.arrived = []
                expected = 0
            }
            try upload.accept(expectedOffset: expected)
        }
        #expect(device.stored == data)
    }

    @Test func answersFromNowhereAreRefused() throws {
        var upload = try upload()
        let next = upload.next()
        let call = try #require(next)
        for payload: CBORMap in [[:], ["off": -1], ["off": 451], ["off": "0"]] {
            #expect(throws: SMPError.self) { try call.answer(payload) }
        }
        try upload.accept(expectedOffset: call.answer(["off": 100]))
        let second = upload.next()
        // 450 are the whole, but only 200 were sent.
        let claimed = try #require(second).answer(["off": 450])
        #expect(throws: SMPError.self) { try upload.accept(expectedOffset: claimed) }
        #expect(throws: SMPError.self) { try upload.accept(expectedOffset: -1) }
        #expect(!upload.isComplete)
        #expect(upload.progress == 100)
    }

    /// A run that broke off after 300 octets, and the next run with the same credential.
    @Test(arguments: [(300, 3), (450, 1)])
    func anUploadGoesOnWhereItBrokeOff(has: Int, calls: Int) throws {
        var device = ScriptedDevice()
        device.announced = (450, digest)
        device.arrived = Array(data.prefix(has))
        device.resumes = true
        var upload = try upload()
        while let call = upload.next() {
            try upload.accept(expectedOffset: call.perform(&device))
        }
        #expect(upload.isComplete)
        #expect(device.arrived == data)
        #expect(device.requestCount == calls)
    }

    @Test(arguments: [0, 1, 50])
    func anUploadThatGoesNowhereEnds(offset: Int) throws {
        var upload = try upload()
        var steps = 0
        let error = #expect(throws: SMPError.self) {
            while upload.next() != nil {
                steps += 1
                try upload.accept(expectedOffset: offset)
            }
        }
        #expect(error == .stalled(steps: 18, offset: offset))
        #expect(steps == 18)
    }

    @Test func tooLongCredentialsAreRefused() {
        #expect(throws: SMPError.tooLong(byteCount: 16385, limit: 16384)) {
            try contract.writeCredential(
                [UInt8](repeating: 0, count: 16385), digest: digest, keyID: 1, type: 2,
                chunkLength: 100)
        }
    }
}
