/// The steps of a run, in their order, in the standards' words.
public enum Step: String, CaseIterable, Sendable, Hashable {
    case build
    case flash
    /// The device ID, read by the probe.
    case identify
    /// The device describes itself.
    case hello
    /// The device's public key; made by the device if it is missing.
    case key
    /// A nonce for the device, signed claims from it: RFC 9711.
    case evidence
    /// The Verifier's role, RFC 9334 §2.
    case appraise
    case register
    case issue
    case install
    /// The device signs a second nonce, names what it stored, and gives it back.
    case confirm
    case attach
}

/// What a run tells the outside while it goes on. Called on the thread of the run.
public protocol RunObserver: AnyObject {
    func began(_ step: Step)
    /// Work that is done, of all that there is, in bytes.
    func progressed(_ step: Step, done: Int, of total: Int)
    /// `summary`: one line, lower case, what came out of the step.
    func ended(_ step: Step, _ summary: String)
    /// Something that worked in the end, but that whoever asks for details wants to know: a retry.
    func noted(_ remark: String)
    /// Text that the device wrote to its log between the frames.
    func logged(_ text: [UInt8])
}
