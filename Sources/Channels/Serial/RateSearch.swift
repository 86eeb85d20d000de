public import Provisioning
public import SMP

/// Which of several rates a device speaks at: where it answers an echo.
public struct RateSearch {
    /// Never empty, in the order in which they are tried.
    public let rates: [UInt32]
    /// How long each is tried, before the next.
    public let timePerRate: Duration
    public let framing: SMPFraming
    public let version: SMPVersion

    public init(
        rates: [UInt32], timePerRate: Duration, framing: SMPFraming, version: SMPVersion
    ) {
        self.rates = rates
        self.timePerRate = timePerRate
        self.framing = framing
        self.version = version
    }

    /// Leaves `port` at the rate that it returns. Tries each rate once, and all of them again until `limit`:
    /// the device may still be starting.
    ///
    /// - Parameter logged: takes what the device prints meanwhile, at that rate.
    /// - Throws: `.deviceSilent` or `.noAnswer`, naming the rates.
    public func find(
        on port: SerialPort, within limit: Duration, logged: ([UInt8]) -> Void = { _ in }
    ) throws(ProvisioningError) -> UInt32 {
        let deadline = Deadline(within: limit)
        var byteCount = 0
        repeat {
            for rate in rates {
                try port.setRate(rate)
                var text: [UInt8] = []
                let isAnswered = try ask(port, &byteCount, &text)
                guard isAnswered else { continue }
                logged(text)
                return rate
            }
        } while !deadline.isPast
        let list = rates.map(String.init).joined(separator: ", ")
        throw ProvisioningError(
            byteCount > 0 ? .noAnswer : .deviceSilent,
            "no answer at \(list) baud on \(port.name), in \(byteCount) bytes that came",
            hint: "is this its port, and does its firmware hold the device library?")
    }

    private func ask(
        _ port: SerialPort, _ byteCount: inout Int, _ text: inout [UInt8]
    ) throws(ProvisioningError) -> Bool {
        let clock = ContinuousClock()
        let start = clock.now
        var settings = SMPSession.Settings()
        settings.framing = framing
        settings.version = version
        var session = SMPSession(settings: settings, firstSequence: .random(in: .min ... .max))
        var deadline = Duration.zero
        var effects = session.request(
            OSGroup.echo("").request,
            patience: SMPSession.Patience(firstWait: timePerRate / 2, limit: timePerRate),
            at: .zero)
        while true {
            for effect in effects {
                switch effect {
                case .send(let bytes): try port.write(bytes, within: timePerRate)
                case .wait(let duration): deadline = clock.now - start + duration
                case .log(let bytes): text += bytes
                case .repeated: break
                case .finished(.success), .finished(.failure(.status)), .finished(.failure(.group)):
                    return true
                case .finished(.failure): return false
                }
            }
            let remaining = deadline - (clock.now - start)
            let bytes =
                remaining > .zero ? try port.read(atMost: 4096, within: remaining) : []
            byteCount += bytes.count
            effects =
                bytes.isEmpty
                ? session.timedOut(at: clock.now - start)
                : session.received(bytes, at: clock.now - start)
        }
    }
}
