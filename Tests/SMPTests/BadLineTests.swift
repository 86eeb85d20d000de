import BadLine
import SMP
import Testing

/// Hundreds of transfers, of thousands of messages, over lines that drop, flip, duplicate and delay bytes; no time passes.
struct BadLineTests {
    private let contract = DeviceContract()
    private let credential = (0..<600).map { UInt8($0 & 0xFF) }
    private let evidence = (0..<280).map { UInt8(($0 &* 7) & 0xFF) }

    private func transfer(over line: inout SimulatedLine) throws {
        line.device.evidence = evidence
        line.device.resumes = true
        let description = try line.perform(contract.describeDevice(), .starting(.seconds(5)))
        #expect(description.board == "scripted")
        let key = try line.perform(contract.describeKey(1), .within(.seconds(2)))
        #expect(key.publicKey.count == 65)
        var read = contract.readEvidence(keyID: 1, nonce: [UInt8](repeating: 9, count: 32))
        while let call = read.next() {
            try read.accept(line.perform(call, .working(.seconds(10))))
        }
        #expect(read.data == evidence)
        var upload = try contract.writeCredential(
            credential, digest: [UInt8](repeating: 5, count: 32), keyID: 1, type: 2,
            chunkLength: 384)
        while let call = upload.next() {
            let expected = try line.perform(call, .within(.seconds(2)))
            try upload.accept(
                expectedOffset: expected, attempts: line.session.attemptCount)
        }
        #expect(line.device.stored == credential)
    }

    @Test(arguments: [(0.001, 200), (0.002, 40)])
    func eachTransferArrives(rate: Double, count: Int) throws {
        var retries = 0
        var time = Duration.zero
        for seed in 0..<count {
            var line = SimulatedLine(LineFaults.Rates(each: rate), seed: UInt64(seed))
            try transfer(over: &line)
            retries += line.session.retryCount
            time += line.now
        }
        #expect(retries > count)
        // The line's time, not the test's: a loss costs about a tenth of a second.
        #expect(time / retries < .milliseconds(150))
    }

    /// A part of 500 octets arrives whole one time in ten; the usual time has room for as many attempts.
    @Test func longPartsArriveInTheUsualTime() throws {
        var retries = 0
        for seed in 0..<100 {
            var line = SimulatedLine(LineFaults.Rates(each: 0.001), seed: UInt64(seed))
            line.device.chunkLength = 500
            line.device.stored = credential
            _ = try line.perform(contract.describeDevice(), .starting(.seconds(5)))
            var read = contract.readCredential(keyID: 1, type: 1)
            while let call = read.next() {
                try read.accept(line.perform(call, .within(.seconds(2))))
            }
            #expect(read.data == credential)
            retries += line.session.retryCount
        }
        #expect(retries > 1000)
    }

    @Test func aGoodLineNeedsNoRetry() throws {
        var line = SimulatedLine(LineFaults.Rates(), seed: 0)
        try transfer(over: &line)
        #expect(line.session.retryCount == 0)
        // The evidence in parts of the device's choice, the credential in parts of 384 octets.
        #expect(line.device.requestCount == 2 + 3 + 2)
        #expect(line.now == .milliseconds(5 * 7))
    }

    /// The same faults whatever the cut, and as many as the rates say.
    @Test func theLineIsAsBadAsItSays() {
        let bytes = (0..<200_000).map { UInt8($0 & 0xFF) }
        var whole = LineFaults(LineFaults.Rates(each: 0.001), seed: 7)
        let once = whole.pass(bytes).flatMap(\.bytes)
        var cut = LineFaults(LineFaults.Rates(each: 0.001), seed: 7)
        let byteWise = bytes.flatMap { byte in cut.pass([byte]).flatMap(\.bytes) }
        #expect(once == byteWise && whole.counts == cut.counts)
        for count in [
            whole.counts.dropped, whole.counts.flipped, whole.counts.duplicated,
            whole.counts.delayed,
        ] {
            #expect((150...250).contains(count))
        }
        #expect(once.count == 200_000 - whole.counts.dropped + whole.counts.duplicated)
    }
}
