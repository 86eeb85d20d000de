import CBOR
import SMP

/// A device that keeps the contract, save what a test has it do wrong.
struct ScriptedDevice {
    var evidence: [UInt8] = []
    var chunkLength = 100
    /// What the device has of an upload, and what is visible.
    var arrived: [UInt8] = []
    var announced: (length: Int, digest: [UInt8])?
    var stored: [UInt8]?
    /// Whether an upload of the same credential goes on where it broke off.
    var resumes = false
    /// Requests that were executed.
    private(set) var requestCount = 0

    mutating func answer(_ request: SMPRequest) -> CBORMap {
        requestCount += 1
        let offset = request.payload["off"].flatMap(\.integer).map { Int($0) } ?? 0
        switch (request.operation, request.command) {
        case (.read, 0):
            return [
                "v": 1, "id": .bytes([1]), "board": "scripted", "fw": "", "algs": [-7],
                "keys": [1], "chunk": .int(chunkLength), "locked": false,
            ]
        case (.read, 1):
            return [
                "kid": 1, "alg": -7, "pub": .bytes([UInt8](repeating: 4, count: 65)),
                "imported": false,
            ]
        case (.read, 3), (.read, 4):
            return part(of: evidence, at: offset)
        case (.read, 5):
            var answer = part(of: stored ?? [], at: offset)
            if offset == 0 { answer["sha256"] = .bytes([UInt8](repeating: 5, count: 32)) }
            return answer
        case (.write, 5):
            write(request.payload, at: offset)
            return ["off": .int(announced == nil ? stored?.count ?? 0 : arrived.count)]
        default:
            return ["rc": 8]
        }
    }

    private func part(of whole: [UInt8], at offset: Int) -> CBORMap {
        [
            "off": .int(offset), "len": .int(whole.count),
            "data": .bytes(Array(whole.dropFirst(offset).prefix(chunkLength))),
        ]
    }

    private mutating func write(_ payload: CBORMap, at offset: Int) {
        if offset == 0, let length = payload["len"]?.integer, let digest = payload["sha256"]?.bytes
        {
            if !resumes || announced?.digest != digest { arrived = [] }
            announced = (Int(length), digest)
        }
        guard let announced, offset == arrived.count, let data = payload["data"]?.bytes else {
            return
        }
        arrived += data
        if arrived.count == announced.length {
            stored = arrived
            self.announced = nil
        }
    }
}

extension SMPCall {
    /// The answer that `device` gives, read as this call reads it.
    func perform(_ device: inout ScriptedDevice) throws -> Answer {
        try answer(device.answer(request))
    }
}
