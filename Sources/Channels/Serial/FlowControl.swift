import CHost

/// How two ends of a serial line tell each other to wait.
public enum FlowControl: String, CaseIterable, Sendable, Hashable {
    case none
    /// By two wires of their own.
    case rtsCTS = "rts-cts"
    /// By two bytes, 0x13 and 0x11, that nothing else may contain then.
    case xonXOFF = "xon-xoff"

    var value: chost_flow_control {
        switch self {
        case .none: CHOST_FLOW_NONE
        case .rtsCTS: CHOST_FLOW_RTS_CTS
        case .xonXOFF: CHOST_FLOW_XON_XOFF
        }
    }
}
