internal import COSE

/// Appraises evidence, RFC 9334 §7.2. Values in, values out: the nonce comes from outside.
public enum Verifier {
    /// Whether the device that was expected proves possession of the key that it announced.
    ///
    /// - Throws: `AppraisalError`. A repeat helps only with a new nonce and new evidence.
    public static func appraise(
        _ evidence: Evidence, against expectation: Expectation
    ) throws(AppraisalError) -> AttestationResult {
        try checkSignature(evidence)
        guard evidence.key.publicKey == expectation.publicKey else {
            throw .keyMismatch(announced: expectation.publicKey, claimed: evidence.key.publicKey)
        }
        guard evidence.algorithm == expectation.algorithm else {
            throw .algorithmMismatch(
                announced: expectation.algorithm, claimed: evidence.algorithm)
        }
        try checkNonce(evidence, sent: expectation.nonce)
        try checkIdentity(
            evidence, board: expectation.identity.board, announced: expectation.identity.id,
            probe: expectation.probedID)
        return AttestationResult(
            evidence, basis: .physicalPresence, isProbeBound: expectation.probedID != nil,
            isFresh: true)
    }

    /// Whether the reporting device possesses the key that it reports. The nonce is the device's
    /// own, so the report may be an old one: the result says so.
    public static func appraise(
        report evidence: Evidence, against expectation: ReportExpectation
    ) throws(AppraisalError) -> AttestationResult {
        try checkSignature(evidence)
        try checkIdentity(
            evidence, board: expectation.board, announced: nil, probe: expectation.probedID)
        return AttestationResult(
            evidence, basis: .physicalPresence, isProbeBound: expectation.probedID != nil,
            isFresh: false)
    }

    /// Whose report it is. Of a claims set that nobody signed there is no more to establish: possession
    /// is not proven, and the report may be an old one, or anybody's.
    public static func appraise(
        report: DeviceReport, against expectation: ReportExpectation
    ) throws(AppraisalError) -> AttestationResult {
        let claims: ReportedClaimsSet
        switch report {
        case .evidence(let evidence): return try appraise(report: evidence, against: expectation)
        case .claimsSet(let set): claims = set
        }
        guard let id = claims.deviceID ?? expectation.probedID,
            let board = claims.board ?? expectation.board
        else { throw .idMissing(key: claims.key.thumbprint) }
        if let expected = expectation.board, !expected.utf8.elementsEqual(board.utf8) {
            throw .boardMismatch(announced: expected, claimed: board)
        }
        if let probe = expectation.probedID, probe != id {
            throw .probeMismatch(probe: probe, claimed: id)
        }
        return AttestationResult(
            identity: DeviceIdentity(board: board, id: id), claims,
            isProbeBound: expectation.probedID != nil)
    }

    /// Lets the device's earlier key speak for the new one: the same result, with the basis
    /// `.endorsed`.
    ///
    /// - Parameters:
    ///   - evidence: Signed by the earlier key over a nonce of this run.
    ///   - nonce: What this run sent for it.
    ///   - known: Thumbprint of the earlier key, which the registry knows as this device's.
    public static func endorse(
        _ result: AttestationResult, with evidence: Evidence, nonce: [UInt8], known: [UInt8]
    ) throws(AppraisalError) -> AttestationResult {
        try checkSignature(evidence)
        let claimed = evidence.key.thumbprint
        guard claimed == known, claimed != result.thumbprint else {
            throw .endorsementMismatch(known: known, claimed: claimed)
        }
        try checkNonce(evidence, sent: nonce)
        try checkIdentity(
            evidence, board: result.identity.board, announced: result.identity.id, probe: nil)
        var endorsed = result
        endorsed.basis = .endorsed
        return endorsed
    }

    /// Whether the device, on a second nonce, uses the key that was certified and stores exactly
    /// what was installed, besides what it stored before.
    ///
    /// - Parameters:
    ///   - nonce: What this run sent for it; not the nonce of `result`.
    ///   - installed: SHA-256 of each credential that this run installed, by credential type.
    public static func confirm(
        _ evidence: Evidence, nonce: [UInt8], result: AttestationResult,
        installed: [UInt64: [UInt8]]
    ) throws(AppraisalError) -> Confirmation {
        try checkSignature(evidence)
        guard evidence.key.publicKey == result.key.publicKey else {
            throw .keyMismatch(announced: result.key.publicKey, claimed: evidence.key.publicKey)
        }
        guard nonce != result.nonce else { throw .replayed(sent: nonce, claimed: evidence.nonce) }
        try checkNonce(evidence, sent: nonce)
        try checkIdentity(
            evidence, board: result.identity.board, announced: result.identity.id, probe: nil)
        let expected = result.storedCredentials.merging(installed) { _, new in new }
        let claimed = evidence.storedCredentials
        for type in Set(expected.keys).union(claimed.keys).sorted()
        where expected[type] != claimed[type] {
            throw .credentialMismatch(
                type: type, expected: expected[type], claimed: claimed[type])
        }
        return Confirmation(evidence)
    }
}

// MARK: - The single checks

extension Verifier {
    /// Under the key in the evidence, over the bytes as received.
    private static func checkSignature(_ evidence: Evidence) throws(AppraisalError) {
        do throws(COSEError) {
            try evidence.message.verify(with: evidence.key, over: evidence.signedBytes)
        } catch .signature {
            throw .signature(key: evidence.key.thumbprint)
        } catch {
            throw .keyInvalid(error)
        }
    }

    private static func checkNonce(_ evidence: Evidence, sent: [UInt8]) throws(AppraisalError) {
        guard evidence.nonce == sent else { throw .replayed(sent: sent, claimed: evidence.nonce) }
    }

    private static func checkIdentity(
        _ evidence: Evidence, board: String?, announced: DeviceID?, probe: DeviceID?
    ) throws(AppraisalError) {
        let claimed = evidence.identity
        let derived = UEID.derive(claimed)
        guard evidence.ueid == derived else {
            throw .ueidMismatch(derived: derived, claimed: evidence.ueid)
        }
        // Octets, not String's equality: the registry compares octets.
        if let board, !board.utf8.elementsEqual(claimed.board.utf8) {
            throw .boardMismatch(announced: board, claimed: claimed.board)
        }
        if let announced, announced != claimed.id {
            throw .idMismatch(announced: announced, claimed: claimed.id)
        }
        if let probe, probe != claimed.id {
            throw .probeMismatch(probe: probe, claimed: claimed.id)
        }
    }
}
