/// The shape of the registry's database and the way from every older shape to it.
enum RegistrySchema {
    /// `PRAGMA application_id`: "Prov". Tells a registry from any other SQLite file.
    static let applicationID: Int64 = 0x5072_6F76

    /// Forward only: script n leads from version n to n + 1. A published script never changes.
    static let migrations: [String] = [version1, version2]

    /// `PRAGMA user_version` of a registry that this program writes.
    static var version: Int { migrations.count }

    /// Tables that the log describes; each has the column `id`.
    static let projectedTables = ["device", "key", "credential", "revocation_list"]

    private static let version1 =
        eventTable + documentTable + deviceTable + keyTable + credentialTable
        + revocationListTable + neverDeleted
}

extension RegistrySchema {
    /// Append-only, and linked: each event holds the hash of the one before it.
    ///
    /// `subject` is the event that began what this event is about: a device, a key, a credential.
    /// `INSERT OR REPLACE` deletes without firing delete triggers, so every table's insert trigger
    /// refuses what would be replaced.
    private static let eventTable = """
        CREATE TABLE event (
            seq INTEGER PRIMARY KEY CHECK (seq > 0),
            at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 253402300799),
            kind TEXT NOT NULL CHECK (kind IN (
                'device-added', 'device-named', 'key-registered', 'key-activated', 'key-revoked',
                'key-reinstated', 'credential-issued', 'credential-revoked', 'list-numbered')),
            subject INTEGER NOT NULL REFERENCES event (seq),
            body TEXT NOT NULL CHECK (json_valid(body)),
            previous BLOB NOT NULL CHECK (length(previous) = 32),
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            CHECK ((subject = seq) = (kind IN (
                'device-added', 'key-registered', 'credential-issued', 'list-numbered')))
        ) STRICT;
        CREATE INDEX event_of_subject ON event (subject) WHERE subject <> seq;
        CREATE TRIGGER event_insert BEFORE INSERT ON event BEGIN
            SELECT RAISE(ABORT, 'the log only grows at its end')
            WHERE NEW.seq <> 1 + ifnull((SELECT max(seq) FROM event), 0);
            SELECT RAISE(ABORT, 'an event holds the hash of the one before it')
            WHERE NEW.previous <> ifnull(
                (SELECT hash FROM event ORDER BY seq DESC LIMIT 1), zeroblob(32));
        END;
        CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN
            SELECT RAISE(ABORT, 'an event never changes');
        END;

        """

    /// What is kept byte for byte, named by its SHA-256: evidence, confirmations, credentials.
    private static let documentTable = """
        CREATE TABLE document (
            digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
            bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 1048576)
        ) STRICT;
        CREATE TRIGGER document_insert BEFORE INSERT ON document BEGIN
            SELECT RAISE(ABORT, 'a document never changes')
            WHERE EXISTS (SELECT 1 FROM document WHERE digest = NEW.digest);
        END;
        CREATE TRIGGER document_update BEFORE UPDATE ON document BEGIN
            SELECT RAISE(ABORT, 'a document never changes');
        END;

        """

    private static let deviceTable = """
        CREATE TABLE device (
            id INTEGER PRIMARY KEY REFERENCES event (seq),
            board TEXT NOT NULL CHECK (length(board) BETWEEN 1 AND 64),
            device_id BLOB NOT NULL CHECK (length(device_id) BETWEEN 1 AND 64),
            nickname TEXT UNIQUE CHECK (length(nickname) BETWEEN 1 AND 64),
            first_seen INTEGER NOT NULL,
            event INTEGER NOT NULL REFERENCES event (seq),
            UNIQUE (device_id, board)
        ) STRICT;
        CREATE INDEX device_of_board ON device (board);
        CREATE TRIGGER device_insert BEFORE INSERT ON device BEGIN
            SELECT RAISE(ABORT, 'a device begins with its event')
            WHERE NEW.event <> NEW.id OR NEW.nickname IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.id AND kind = 'device-added'
                    AND seq = (SELECT max(seq) FROM event));
            SELECT RAISE(ABORT, 'a device has one row')
            WHERE EXISTS (
                SELECT 1 FROM device WHERE device_id = NEW.device_id AND board = NEW.board)
                OR EXISTS (SELECT 1 FROM device WHERE id = NEW.id);
        END;
        CREATE TRIGGER device_update BEFORE UPDATE ON device BEGIN
            SELECT RAISE(ABORT, 'a device keeps its identity')
            WHERE NEW.id <> OLD.id OR NEW.board <> OLD.board OR NEW.device_id <> OLD.device_id
                OR NEW.first_seen <> OLD.first_seen;
            SELECT RAISE(ABORT, 'every change is an event')
            WHERE NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.event AND kind = 'device-named'
                    AND subject = OLD.id AND seq = (SELECT max(seq) FROM event));
            SELECT RAISE(ABORT, 'a nickname names one device')
            WHERE EXISTS (SELECT 1 FROM device WHERE nickname = NEW.nickname AND id <> OLD.id);
        END;

        """

    private static let revocationListTable = """
        CREATE TABLE revocation_list (
            id INTEGER PRIMARY KEY REFERENCES event (seq),
            issuer BLOB NOT NULL CHECK (length(issuer) = 32),
            number INTEGER NOT NULL CHECK (number > 0),
            numbered_at INTEGER NOT NULL,
            UNIQUE (issuer, number)
        ) STRICT;
        CREATE TRIGGER revocation_list_insert BEFORE INSERT ON revocation_list BEGIN
            SELECT RAISE(ABORT, 'a list number begins with its event')
            WHERE NOT EXISTS (
                SELECT 1 FROM event WHERE seq = NEW.id AND kind = 'list-numbered'
                    AND seq = (SELECT max(seq) FROM event))
                OR EXISTS (SELECT 1 FROM revocation_list WHERE id = NEW.id);
            SELECT RAISE(ABORT, 'list numbers only grow')
            WHERE NEW.number <= (
                SELECT max(number) FROM revocation_list WHERE issuer = NEW.issuer);
        END;
        CREATE TRIGGER revocation_list_update BEFORE UPDATE ON revocation_list BEGIN
            SELECT RAISE(ABORT, 'a list number never changes');
        END;

        """

    private static let neverDeleted =
        (["event", "document"] + projectedTables).map { table in
            """
            CREATE TRIGGER \(table)_delete BEFORE DELETE ON \(table) BEGIN
                SELECT RAISE(ABORT, 'nothing is deleted');
            END;

            """
        }.joined()
}
