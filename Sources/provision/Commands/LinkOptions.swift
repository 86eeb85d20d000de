public import ArgumentParser
public import Channels
import Platforms
import Provisioning
import SMP

/// How the line to a board is driven, where its platform file does not know better.
struct LinkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bits per second of the serial port; of several, each is tried: 115200,57600.",
            valueName: "rates"),
        transform: Self.rates)
    var baud: [UInt32]?

    @Option(help: "How the serial port's two ends tell each other to wait.")
    var flowControl: FlowControl?

    @Option(
        help: ArgumentHelp(
            "What the port's modem lines do before the device is spoken to: none, dtr, arduino, esp, or steps: 'dtr=0,rts=1 wait=100 rts=0'. The platform's own is done after flashing only.",
            valueName: "sequence"),
        completion: .list(ModemSequence.names), transform: Self.words)
    var reset: [String]?

    @Flag(help: "Leave the modem lines as they are, whatever the platform says.")
    var noReset = false

    @Option(
        help: ArgumentHelp(
            "How messages lie on the line: console, or raw.", valueName: "framing"),
        completion: .list(["console", "raw"]), transform: Self.framing)
    var framing: SMPFraming?

    @Option(
        help: ArgumentHelp("The version of SMP, 1 or 2.", valueName: "version"),
        completion: .list(["1", "2"]), transform: Self.version)
    var smpVersion: SMPVersion?

    @Option(
        help: ArgumentHelp(
            "How long something may take, such as boot=20s or answer=500ms; the names stand in `provision platforms NAME`. Repeatable.",
            valueName: "name=time"),
        completion: .list(Timeout.allCases.map { "\($0.rawValue)=" }),
        transform: TimeoutSetting.init)
    var timeout: [TimeoutSetting] = []

    /// What of it a board needs to know.
    var link: Connection.Link {
        Connection.Link(
            baud: baud, flowControl: flowControl, reset: reset, noReset: noReset,
            framing: framing, smpVersion: smpVersion,
            timeouts: Dictionary(timeout.map { ($0.timeout, $0.duration) }) { $1 })
    }

    /// What was given of a serial port.
    var givenForPort: [String] {
        [
            ("--baud", baud != nil), ("--flow-control", flowControl != nil),
            ("--reset", reset != nil), ("--no-reset", noReset),
        ].compactMap { option, isGiven in isGiven ? option : nil }
    }

    /// What was given of the conversation, whatever carries it.
    var givenForMessages: [String] {
        [
            ("--framing", framing != nil), ("--smp-version", smpVersion != nil),
            ("--timeout", !timeout.isEmpty),
        ].compactMap { option, isGiven in isGiven ? option : nil }
    }

    func validate() throws {
        guard reset == nil || !noReset else {
            throw ValidationError("--reset and --no-reset are contrary to each other")
        }
        if framing == .raw, flowControl == .xonXOFF {
            throw ValidationError(
                "--framing raw may send the bytes that --flow-control xon-xoff is made of")
        }
    }

    static func rates(_ text: String) throws -> [UInt32] {
        let rates = try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let rate = UInt32(word), SerialPort.rates.contains(Int(rate)) else {
                throw ValidationError(
                    "--baud is one rate from \(SerialPort.rates.lowerBound) to "
                        + "\(SerialPort.rates.upperBound) or a list of them, not \(text)")
            }
            return rate
        }
        guard Set(rates).count == rates.count, rates.count <= 32 else {
            throw ValidationError("--baud has one rate twice, or more than 32: \"\(text)\"")
        }
        return rates
    }

    private static func words(_ text: String) throws -> [String] {
        let words = text.split(separator: " ").map(String.init)
        do {
            _ = try ModemSequence.parse(words)
        } catch {
            throw ValidationError("--reset: \(error.reason). \(error.hint ?? "")")
        }
        return words
    }

    private static func framing(_ text: String) throws -> SMPFraming {
        switch text {
        case "console": return .console
        case "raw": return .raw
        default: throw ValidationError("--framing is console or raw, not \"\(text)\"")
        }
    }

    private static func version(_ text: String) throws -> SMPVersion {
        switch text {
        case "1": return .v1
        case "2": return .v2
        default: throw ValidationError("--smp-version is 1 or 2, not \"\(text)\"")
        }
    }
}

extension FlowControl: ExpressibleByArgument {}

/// `boot=20s`: a time-out by its name.
struct TimeoutSetting {
    let timeout: Timeout
    let duration: Duration

    init(_ timeout: Timeout, _ duration: Duration) {
        (self.timeout, self.duration) = (timeout, duration)
    }

    init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let timeout = Timeout(rawValue: String(parts[0])) else {
            let names = Timeout.allCases.map(\.rawValue)
            let suggestion =
                String(parts[0]).nearest(among: names).map { "did you mean \"\($0)\"?" }
                ?? "there are \(names.joined(separator: ", "))"
            throw ValidationError("--timeout has no \"\(parts[0])\": \(suggestion)")
        }
        guard parts.count == 2, let duration = Self.duration(parts[1]),
            Timeout.limits.contains(duration)
        else {
            throw ValidationError(
                "--timeout \(text): write \(timeout.rawValue)=20s, =1.5s, =500ms or =2min, from 1ms to 60min"
            )
        }
        (self.timeout, self.duration) = (timeout, duration)
    }

    /// A number and its unit. Nil for anything else, and for a number without a unit: of what?
    private static func duration(_ text: Substring) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard !digits.isEmpty, digits.utf8.count <= 9, let number = Double(digits) else {
            return nil
        }
        switch text[digits.endIndex...] {
        case "ms": return .milliseconds(Int64(number.rounded()))
        case "s": return .milliseconds(Int64((number * 1000).rounded()))
        case "min": return .milliseconds(Int64((number * 60_000).rounded()))
        default: return nil
        }
    }
}
