import Provisioning
import Testing

struct ErrorCodeTests {
    /// What the README and `provision --help` promise.
    private static let statuses: [Int32: Set<ErrorCode>] = [
        2: [.usage, .platformInvalid, .platformUnknown, .settingsInvalid],
        3: [.buildFailed, .imageInvalid],
        4: [.flashFailed, .flashMismatch],
        5: [
            .boardUnknown, .boardAmbiguous, .channelUnavailable, .channelClosed, .channelBusy,
            .channelStalled, .probeUnavailable, .emulatorFailed,
            .deviceSilent, .noAnswer, .reportMissing, .deviceBusy, .rttNotFound,
            .adapterFailed, .adapterSilent,
        ],
        6: [
            .protocolViolation, .answerOversized, .answerTooDeep, .answerUnrelated, .byteFlood,
            .frameFlood, .transferStalled, .deviceSlow, .deviceRefused, .probeProtocol,
            .rttDamaged, .versionUnsupported, .adapterProtocol,
        ],
        7: [
            .evidenceMalformed, .evidenceSignature, .evidenceReplayed, .evidenceProfile,
            .keyInvalid, .keyMismatch, .idMismatch, .csrRefused,
            .idMissing, .volatileKey,
        ],
        8: [
            .registryUnavailable, .registryNewer, .registryDamaged, .keyRevoked, .keyShared,
            .replacementUnproven, .registryConflict, .notFound, .clockWrong,
        ],
        9: [.authorityUnavailable, .authorityLost, .issuanceFailed, .keyIncomplete],
        10: [.installFailed, .confirmFailed, .credentialMismatch],
        70: [.internalFailure],
        130: [.interrupted],
    ]

    @Test func eachCodeHasTheStatusOfItsKind() {
        for (status, codes) in Self.statuses {
            for code in codes { #expect(code.exitStatus == status, "\(code)") }
        }
        #expect(
            Set(ErrorCode.allCases) == Self.statuses.values.reduce(into: []) { $0.formUnion($1) })
    }

    /// A registry can be damaged in more ways than there are hints; one of the error's own says more.
    @Test func someCodesHaveAHintForWhateverHappened() {
        for (code, hint) in [
            (ErrorCode.registryDamaged, "provision registry verify"),
            (.internalFailure, "report it"),
        ] {
            let error = ProvisioningError(code, "it is so")
            #expect(error.hint?.contains(hint) == true, "\(code)")
            #expect(error.description.contains("\nhint: "))
            #expect(ProvisioningError(code, "it is so", hint: "do that").hint == "do that")
        }
        #expect(ProvisioningError(.usage, "it is so").hint == nil)
    }
}
