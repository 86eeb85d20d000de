import Authority

/// Registry and Authority each have a word for a revoked certificate: this is the authority's.
typealias AuthorityRevocation = Authority.RevokedCertificate
