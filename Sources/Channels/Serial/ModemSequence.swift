public import Provisioning

/// What a port's modem lines do, one after the other, so that the board behind it restarts.
///
/// A line that is set (1) is low, by the custom of every USB serial chip.
public struct ModemSequence: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        /// Both at once; nil: as it is.
        case lines(dtr: Bool?, rts: Bool?)
        case wait(Duration)
    }

    public let steps: [Step]

    /// The names that stand for a sequence, and for none.
    public static let names = ["none", "dtr", "arduino", "esp"]

    /// Steps of one sequence, and what all its waits take together at most.
    private static let maximumCount = 32
    private static let maximumTime = Duration.seconds(60)

    private init(_ steps: [Step]) { self.steps = steps }

    /// A pulse on DTR.
    public static let dtr = ModemSequence([
        .lines(dtr: false, rts: nil), .wait(.milliseconds(100)), .lines(dtr: true, rts: nil),
    ])
    /// Both lines fall, which a capacitor makes a pulse of: avrdude's arduino.c, 250 ms and 50 ms.
    public static let arduino = ModemSequence([
        .lines(dtr: false, rts: false), .wait(.milliseconds(250)),
        .lines(dtr: true, rts: true), .wait(.milliseconds(50)),
    ])
    /// RTS is on EN, DTR on GPIO0: esptool's reset.py, HardReset: the firmware starts, not the loader.
    public static let esp = ModemSequence([
        .lines(dtr: false, rts: true), .wait(.milliseconds(100)), .lines(dtr: nil, rts: false),
    ])
    /// What tells many a USB bootloader to take over, at 1200 baud.
    public static let hangUp = ModemSequence([.lines(dtr: false, rts: nil)])

    /// - Parameter words: a name, or steps: `dtr=0`, `rts=1`, `dtr=0,rts=1` at once, `wait=100` in
    ///   milliseconds.
    /// - Returns: nil for `none`.
    /// - Throws: `.usage`, naming the word.
    public static func parse(_ words: [String]) throws(ProvisioningError) -> ModemSequence? {
        switch words {
        case ["none"]: return nil
        case ["dtr"]: return dtr
        case ["arduino"]: return arduino
        case ["esp"]: return esp
        default: break
        }
        var steps: [Step] = []
        for word in words { steps.append(try step(word)) }
        var time = Duration.zero
        for case .wait(let duration) in steps { time += duration }
        guard (1...maximumCount).contains(steps.count), time <= maximumTime else {
            throw ProvisioningError(
                .usage,
                "a reset sequence has 1 to \(maximumCount) steps that take up to \(maximumTime.brief)"
            )
        }
        return ModemSequence(steps)
    }

    private static func step(_ word: String) throws(ProvisioningError) -> Step {
        var (dtr, rts): (Bool?, Bool?) = (nil, nil)
        let parts = word.split(separator: ",", omittingEmptySubsequences: false)
        for part in parts {
            switch part {
            case "dtr=0" where dtr == nil: dtr = false
            case "dtr=1" where dtr == nil: dtr = true
            case "rts=0" where rts == nil: rts = false
            case "rts=1" where rts == nil: rts = true
            default:
                let digits = part.dropFirst("wait=".count)
                guard parts.count == 1, part.hasPrefix("wait="), digits.utf8.count <= 5,
                    digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                    let milliseconds = Int(digits), milliseconds > 0
                else {
                    throw ProvisioningError(
                        .usage, "\"\(word)\" is no step of a reset sequence",
                        hint:
                            "it is \(names.joined(separator: ", ")), or steps such as dtr=0,rts=1 "
                            + "and wait=100, in milliseconds")
                }
                return .wait(.milliseconds(milliseconds))
            }
        }
        return .lines(dtr: dtr, rts: rts)
    }
}

extension ModemSequence.Step: CustomStringConvertible {
    /// As it is written.
    public var description: String {
        switch self {
        case .wait(let duration): "wait=\(duration.roundedUpMilliseconds)"
        case .lines(let dtr, let rts):
            [dtr.map { "dtr=\($0 ? 1 : 0)" }, rts.map { "rts=\($0 ? 1 : 0)" }]
                .compactMap(\.self).joined(separator: ",")
        }
    }
}

extension ModemSequence: CustomStringConvertible {
    public var description: String { steps.map(\.description).joined(separator: " ") }
}
