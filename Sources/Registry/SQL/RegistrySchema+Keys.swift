extension RegistrySchema {
    /// `pending → active → revoked`, and back to `pending` only by an event that says so.
    static let keyTable = """
        CREATE TABLE key (
            id INTEGER PRIMARY KEY REFERENCES event (seq),
            device INTEGER NOT NULL REFERENCES device (id),
            key_id INTEGER NOT NULL CHECK (key_id BETWEEN 0 AND 4294967295),
            thumbprint BLOB NOT NULL UNIQUE CHECK (length(thumbprint) = 32),
            algorithm INTEGER NOT NULL,
            public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) BETWEEN 32 AND 133),
            state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'revoked')),
            registered_at INTEGER NOT NULL,
            activated_at INTEGER,
            revoked_at INTEGER,
            revocation_reason INTEGER CHECK (
                revocation_reason IN (0, 1, 2, 3, 4, 5, 6, 9, 10)),
            basis TEXT NOT NULL CHECK (basis IN ('physical-presence', 'endorsed')),
            imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
            firmware_digest BLOB CHECK (length(firmware_digest) = 32),
            evidence BLOB NOT NULL REFERENCES document (digest),
            confirmation BLOB REFERENCES document (digest),
            event INTEGER NOT NULL REFERENCES event (seq),
            CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
            CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL)),
            CHECK ((activated_at IS NULL) = (confirmation IS NULL)),
            CHECK (state <> 'active' OR activated_at IS NOT NULL)
        ) STRICT;
        CREATE UNIQUE INDEX key_in_force ON key (device, key_id) WHERE state <> 'revoked';
        CREATE INDEX key_of_device ON key (device);
        CREATE INDEX key_of_state ON key (state);
        CREATE TRIGGER key_insert BEFORE INSERT ON key BEGIN
            SELECT RAISE(ABORT, 'a key begins with its event, as pending')
            WHERE NEW.event <> NEW.id OR NEW.state <> 'pending' OR NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.id AND kind = 'key-registered'
                    AND seq = (SELECT max(seq) FROM event))
                OR EXISTS (SELECT 1 FROM key WHERE id = NEW.id);
            SELECT RAISE(ABORT, 'one public key belongs to one device')
            WHERE EXISTS (SELECT 1 FROM key WHERE thumbprint = NEW.thumbprint)
                OR EXISTS (SELECT 1 FROM key WHERE public_key = NEW.public_key);
            SELECT RAISE(ABORT, 'at most one key of a device and key ID is not revoked')
            WHERE EXISTS (
                SELECT 1 FROM key WHERE device = NEW.device AND key_id = NEW.key_id
                    AND state <> 'revoked');
        END;
        CREATE TRIGGER key_update BEFORE UPDATE ON key BEGIN
            SELECT RAISE(ABORT, 'a key keeps its identity')
            WHERE NEW.id <> OLD.id OR NEW.device <> OLD.device OR NEW.key_id <> OLD.key_id
                OR NEW.thumbprint <> OLD.thumbprint OR NEW.algorithm <> OLD.algorithm
                OR NEW.public_key <> OLD.public_key OR NEW.registered_at <> OLD.registered_at
                OR NEW.basis <> OLD.basis OR NEW.imported <> OLD.imported
                OR NEW.firmware_digest IS NOT OLD.firmware_digest
                OR NEW.evidence <> OLD.evidence;
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
        CREATE TRIGGER key_revoked AFTER UPDATE ON key WHEN NEW.state = 'revoked' BEGIN
            UPDATE credential
            SET state = 'revoked', revoked_at = NEW.revoked_at,
                revocation_reason = NEW.revocation_reason, event = NEW.event
            WHERE key = NEW.id AND state = 'in-force';
        END;

        """

    /// At most one credential of each type is in force for a key, and none for a revoked key.
    /// Trust anchors (type 3) have no serial number.
    static let credentialTable = """
        CREATE TABLE credential (
            id INTEGER PRIMARY KEY REFERENCES event (seq),
            key INTEGER NOT NULL REFERENCES key (id),
            type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
            issuer BLOB NOT NULL CHECK (length(issuer) = 32 OR (type = 3 AND issuer = x'')),
            serial BLOB CHECK (length(serial) BETWEEN 1 AND CASE type WHEN 1 THEN 20 ELSE 64 END),
            document BLOB NOT NULL REFERENCES document (digest),
            not_before INTEGER NOT NULL CHECK (not_before BETWEEN 0 AND 253402300799),
            not_after INTEGER CHECK (not_after BETWEEN not_before AND 253402300799),
            state TEXT NOT NULL CHECK (state IN ('in-force', 'revoked')),
            issued_at INTEGER NOT NULL,
            revoked_at INTEGER,
            revocation_reason INTEGER CHECK (
                revocation_reason IN (0, 1, 2, 3, 4, 5, 6, 9, 10)),
            event INTEGER NOT NULL REFERENCES event (seq),
            UNIQUE (serial, issuer),
            CHECK ((serial IS NULL) = (type = 3)),
            CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
            CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX credential_in_force ON credential (key, type)
            WHERE state = 'in-force';
        CREATE INDEX credential_of_key ON credential (key);
        CREATE INDEX certificate_revoked ON credential (issuer)
            WHERE type = 1 AND state = 'revoked';
        CREATE TRIGGER credential_insert BEFORE INSERT ON credential BEGIN
            SELECT RAISE(ABORT, 'a credential begins with its event, in force')
            WHERE NEW.event <> NEW.id OR NEW.state <> 'in-force' OR NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.id AND kind = 'credential-issued'
                    AND seq = (SELECT max(seq) FROM event))
                OR EXISTS (SELECT 1 FROM credential WHERE id = NEW.id);
            SELECT RAISE(ABORT, 'a revoked key gets no credential')
            WHERE (SELECT state FROM key WHERE id = NEW.key) = 'revoked';
            SELECT RAISE(ABORT, 'an issuer uses a serial number once')
            WHERE EXISTS (
                SELECT 1 FROM credential WHERE serial = NEW.serial AND issuer = NEW.issuer);
            SELECT RAISE(ABORT, 'one credential of a type is in force for a key')
            WHERE EXISTS (
                SELECT 1 FROM credential WHERE key = NEW.key AND type = NEW.type
                    AND state = 'in-force');
        END;
        CREATE TRIGGER credential_update BEFORE UPDATE ON credential BEGIN
            SELECT RAISE(ABORT, 'a credential keeps its identity')
            WHERE NEW.id <> OLD.id OR NEW.key <> OLD.key OR NEW.type <> OLD.type
                OR NEW.issuer <> OLD.issuer OR NEW.serial IS NOT OLD.serial
                OR NEW.document <> OLD.document OR NEW.not_before <> OLD.not_before
                OR NEW.not_after IS NOT OLD.not_after OR NEW.issued_at <> OLD.issued_at;
            SELECT RAISE(ABORT, 'revoked is for ever, and every change is an event')
            WHERE OLD.state <> 'in-force' OR NEW.state <> 'revoked' OR NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.event
                    AND seq = (SELECT max(seq) FROM event)
                    AND ((kind = 'credential-revoked' AND subject = OLD.id)
                        OR (kind = 'key-revoked' AND subject = OLD.key)));
        END;

        """
}
