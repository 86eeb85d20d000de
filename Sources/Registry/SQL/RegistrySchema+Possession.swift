extension RegistrySchema {
    /// Version 2: a key that was only read off a log line says so, and x of a point names one key,
    /// whether its y is known or not.
    ///
    /// Two whole keys of the same x are each other's negative, which version 1 took: they stay two.
    static let version2 =
        """
        ALTER TABLE key ADD COLUMN possession_proven INTEGER NOT NULL DEFAULT 1
            CHECK (possession_proven IN (0, 1));
        DROP TRIGGER key_insert;
        CREATE TRIGGER key_insert BEFORE INSERT ON key BEGIN
            SELECT RAISE(ABORT, 'a key begins with its event, as pending')
            WHERE NEW.event <> NEW.id OR NEW.state <> 'pending' OR NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.id AND kind = 'key-registered'
                    AND seq = (SELECT max(seq) FROM event))
                OR EXISTS (SELECT 1 FROM key WHERE id = NEW.id);
            SELECT RAISE(ABORT, 'one public key belongs to one device')
            WHERE EXISTS (SELECT 1 FROM key WHERE thumbprint = NEW.thumbprint)
                OR EXISTS (SELECT 1 FROM key WHERE public_key = NEW.public_key)
                OR (length(NEW.public_key) = 65 AND EXISTS (
                    SELECT 1 FROM key WHERE public_key = substr(NEW.public_key, 2, 32)))
                OR (length(NEW.public_key) = 32 AND EXISTS (
                    SELECT 1 FROM key WHERE public_key
                    BETWEEN CAST(x'04' || NEW.public_key AS BLOB)
                    AND CAST(x'04' || NEW.public_key || \(highestY) AS BLOB)));
            SELECT RAISE(ABORT, 'at most one key of a device and key ID is not revoked')
            WHERE EXISTS (
                SELECT 1 FROM key WHERE device = NEW.device AND key_id = NEW.key_id
                    AND state <> 'revoked');
        END;
        DROP TRIGGER key_update;
        CREATE TRIGGER key_update BEFORE UPDATE ON key BEGIN
            SELECT RAISE(ABORT, 'a key keeps its identity')
            WHERE NEW.id <> OLD.id OR NEW.device <> OLD.device OR NEW.key_id <> OLD.key_id
                OR NEW.thumbprint <> OLD.thumbprint OR NEW.algorithm <> OLD.algorithm
                OR NEW.public_key <> OLD.public_key OR NEW.registered_at <> OLD.registered_at
                OR NEW.basis <> OLD.basis OR NEW.imported <> OLD.imported
                OR NEW.firmware_digest IS NOT OLD.firmware_digest
                OR NEW.evidence <> OLD.evidence
                OR NEW.possession_proven <> OLD.possession_proven;
            SELECT RAISE(ABORT, 'revoked is for ever, and every change is an event')
            WHERE NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.event AND subject = OLD.id
                    AND seq = (SELECT max(seq) FROM event)
                    AND kind = CASE OLD.state || '>' || NEW.state
                        WHEN 'pending>active' THEN 'key-activated'
                        WHEN 'pending>revoked' THEN 'key-revoked'
                        WHEN 'active>revoked' THEN 'key-revoked'
                        WHEN 'revoked>pending' THEN 'key-reinstated' END);
            SELECT RAISE(ABORT, 'at most one key of a device and key ID is not revoked')
            WHERE NEW.state <> 'revoked' AND EXISTS (
                SELECT 1 FROM key WHERE device = OLD.device AND key_id = OLD.key_id
                    AND state <> 'revoked' AND id <> OLD.id);
        END;

        """

    /// 32 octets as SQL writes them: no y is above.
    private static let highestY = "x'" + String(repeating: "ff", count: 32) + "'"
}
