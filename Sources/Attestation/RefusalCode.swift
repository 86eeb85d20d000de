/// The stable names of what can be wrong with evidence. The flow reports them under these names.
public enum RefusalCode: String, CaseIterable, Sendable, Hashable {
    case evidenceMalformed = "evidence-malformed"
    case evidenceSignature = "evidence-signature"
    case evidenceReplayed = "evidence-replayed"
    case evidenceProfile = "evidence-profile"
    case keyInvalid = "key-invalid"
    case keyMismatch = "key-mismatch"
    case idMismatch = "id-mismatch"
    case csrRefused = "csr-refused"
    case idMissing = "id-missing"
    case credentialMismatch = "credential-mismatch"
}
