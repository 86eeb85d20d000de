import GRDB
public import Provisioning

extension SQLiteRegistry {
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signed the latest credential, 32 octets; nil if
    /// none was issued.
    public func latestIssuer() throws(ProvisioningError) -> [UInt8]? {
        try read { database in
            try Octets.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT issuer FROM credential WHERE issuer <> x'' ORDER BY id DESC LIMIT 1
                        """))
        }?.bytes
    }

    /// Whether one of these keys signed a credential or a revocation list that is recorded here.
    ///
    /// - Parameter issuers: each as `latestIssuer` gives it.
    public func hasIssuer(among issuers: [[UInt8]]) throws(ProvisioningError) -> Bool {
        try read { database in
            for issuer in issuers {
                let isKnown = try Bool.fetchOne(
                    database.cachedStatement(
                        sql: "SELECT EXISTS (SELECT 1 FROM revocation_list WHERE issuer = ?)"),
                    arguments: [Octets(issuer)])
                if isKnown == true { return true }
            }
            // The latest first: an authority that is in use is found at once.
            let credentials = try database.cachedStatement(
                sql: """
                    SELECT 1 FROM credential
                    WHERE issuer IN (\(issuers.map { _ in "?" }.joined(separator: ", ")))
                    ORDER BY id DESC LIMIT 1
                    """)
            return try Bool.fetchOne(
                credentials, arguments: StatementArguments(issuers.map(Octets.init))) == true
        }
    }
}
