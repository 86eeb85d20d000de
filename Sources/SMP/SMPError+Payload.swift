internal import CBOR

extension SMPError {
    /// Throws the error that a response's payload is, if it is one.
    static func check(_ payload: CBORMap) throws(SMPError) {
        if let error = payload["err"] {
            guard let fields = error.map, let groupField = fields["group"],
                let codeField = fields["rc"]
            else { throw .malformed("an error answer without group and rc") }
            guard let group = groupField.unsigned.flatMap({ UInt16(exactly: $0) }) else {
                throw .malformed("an error answer whose group is no number of 16 bits")
            }
            guard let code = codeField.unsigned else {
                throw .malformed("an error answer whose rc is no unsigned number")
            }
            guard code == 0 else { throw .group(group, code: code) }
        }
        if let status = payload["rc"] {
            guard let code = status.unsigned else { throw .malformed("an rc that is no number") }
            guard code == 0 else { throw .status(SMPStatus(rawValue: code)) }
        }
    }
}

extension SMPError {
    /// Why a payload that arrived whole is no CBOR.
    init(_ error: CBORError) {
        let reason = "the SMP payload is no CBOR: \(error)"
        self =
            switch error.code {
            // The frame is complete, so whatever is missing was never meant to come.
            case .truncated where error.offset == 0: .malformed(reason)
            case .truncated: .oversized("the SMP payload announces more than came: \(error)")
            case .tooManyItems, .tooLarge:
                .oversized("the SMP payload is more than this host takes: \(error)")
            case .tooDeep: .tooDeep(reason)
            case .trailing, .malformed, .duplicateKey, .notUTF8, .notDeterministic:
                .malformed(reason)
            }
    }
}
