import Access
import Foundation
import GRDB

/// The tables of the audit log, of roles and of notices.
extension Schema {
    /// Roles move from operating-system names to users of the gateway, who are found by their
    /// operating-system name. Triggers reject any change of the audit log but an append and the
    /// deletion by retention.
    static let audit = """
        CREATE TABLE audit (
            -- Without a gap.
            sequence INTEGER PRIMARY KEY,
            moment INTEGER NOT NULL,
            record TEXT NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;

        -- How the log ended, and what retention left of its start.
        CREATE TABLE auditSeal (
            kind TEXT PRIMARY KEY CHECK (kind IN ('checkpoint', 'start')),
            sequence INTEGER NOT NULL,
            hash BLOB NOT NULL,
            moment INTEGER NOT NULL,
            mark BLOB NOT NULL
        ) STRICT;

        CREATE TRIGGER auditUpdated BEFORE UPDATE ON audit BEGIN
            SELECT RAISE(ABORT, 'the audit log is only appended to');
        END;
        CREATE TRIGGER auditDeleted BEFORE DELETE ON audit
        WHEN OLD.sequence > coalesce((SELECT sequence FROM auditSeal WHERE kind = 'start'), 0)
        BEGIN
            SELECT RAISE(ABORT, 'the audit log is only appended to');
        END;

        DROP TABLE actor;
        ALTER TABLE user ADD COLUMN osUser TEXT;
        CREATE UNIQUE INDEX userOSUser ON user (osUser);

        UPDATE user SET osUser = login WHERE role IS NOT NULL;

        -- What the gateway was told, for commands that are told something else.
        CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

        -- Messages for owners, until they are in the INBOX.
        CREATE TABLE notice (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            subject TEXT NOT NULL,
            text TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        """

    /// A log for each node that shares a store: a store that was copied from a database of several
    /// nodes has several. Columns are computed from the record, so they cannot differ from what its
    /// hash covers. They are null for a record that is no JSON, and `detail` for a record that
    /// names an account.
    static let nodes = """
        DROP TRIGGER auditUpdated;
        DROP TRIGGER auditDeleted;
        CREATE TABLE newAudit (
            node TEXT NOT NULL DEFAULT '',
            -- Without a gap in the log of a node.
            sequence INTEGER NOT NULL,
            moment INTEGER NOT NULL,
            record TEXT NOT NULL,
            hash BLOB NOT NULL,
            account TEXT GENERATED ALWAYS AS (
                CASE WHEN json_valid(record) THEN json_extract(record, '$.account') END) VIRTUAL,
            targetAccount TEXT GENERATED ALWAYS AS (
                CASE WHEN json_valid(record) THEN json_extract(record, '$.targetAccount') END
            ) VIRTUAL,
            actor TEXT GENERATED ALWAYS AS (
                CASE WHEN json_valid(record) THEN json_extract(record, '$.actor') END) VIRTUAL,
            detail TEXT GENERATED ALWAYS AS (
                CASE WHEN json_valid(record) AND json_extract(record, '$.account') IS NULL
                    THEN json_extract(record, '$.detail') END) VIRTUAL,
            PRIMARY KEY (node, sequence)
        ) STRICT;
        INSERT INTO newAudit (sequence, moment, record, hash)
            SELECT sequence, moment, record, hash FROM audit;
        DROP TABLE audit;
        ALTER TABLE newAudit RENAME TO audit;
        CREATE INDEX auditMoment ON audit (moment);
        CREATE INDEX auditAccount ON audit (account) WHERE account IS NOT NULL;
        CREATE INDEX auditTarget ON audit (targetAccount) WHERE targetAccount IS NOT NULL;
        CREATE INDEX auditActor ON audit (actor);
        CREATE INDEX auditDetail ON audit (node, sequence) WHERE detail IS NOT NULL;

        CREATE TABLE newSeal (
            node TEXT NOT NULL DEFAULT '',
            kind TEXT NOT NULL CHECK (kind IN ('checkpoint', 'start')),
            sequence INTEGER NOT NULL,
            hash BLOB NOT NULL,
            moment INTEGER NOT NULL,
            mark BLOB NOT NULL,
            PRIMARY KEY (node, kind)
        ) STRICT;
        INSERT INTO newSeal (kind, sequence, hash, moment, mark)
            SELECT kind, sequence, hash, moment, mark FROM auditSeal;
        DROP TABLE auditSeal;
        ALTER TABLE newSeal RENAME TO auditSeal;

        CREATE TRIGGER auditUpdated BEFORE UPDATE ON audit BEGIN
            SELECT RAISE(ABORT, 'the audit log is only appended to');
        END;
        CREATE TRIGGER auditDeleted BEFORE DELETE ON audit
        WHEN OLD.sequence > coalesce(
            (SELECT sequence FROM auditSeal WHERE kind = 'start' AND node = OLD.node), 0)
        BEGIN
            SELECT RAISE(ABORT, 'the audit log is only appended to');
        END;

        -- A random number for each revision: an older state that was edited again has others.
        CREATE TABLE revisionToken (revision INTEGER PRIMARY KEY, token BLOB NOT NULL) STRICT;

        -- The node that makes a transfer.
        ALTER TABLE transfer ADD COLUMN node TEXT NOT NULL DEFAULT '';
        """

    /// Indexes with which a reader finds the records of one node in the order of their numbers.
    static let nodeIndexes = """
        DROP INDEX auditMoment;
        DROP INDEX auditAccount;
        DROP INDEX auditTarget;
        DROP INDEX auditActor;
        CREATE INDEX auditMoment ON audit (moment, node, sequence);
        CREATE INDEX auditAccount ON audit (account, node, sequence) WHERE account IS NOT NULL;
        CREATE INDEX auditTarget ON audit (targetAccount, node, sequence)
            WHERE targetAccount IS NOT NULL;
        CREATE INDEX auditActor ON audit (actor, node, sequence);
        """

    /// Converts the edits that earlier versions kept in the table `change` into the first
    /// records of the audit log.
    static func moveChanges(_ database: Database) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var (sequence, hash): (Int64, Data) = (0, StoreTransaction.firstHash)
        for row in try Row.fetchAll(database, sql: "SELECT * FROM change ORDER BY id") {
            var record = AuditRecord(event: "change", actor: row["actor"], from: "command line")
            record.detail = [row["what"]]
            sequence += 1
            let text = String(decoding: try encoder.encode(record), as: UTF8.self)
            let moment: Int64 = row["moment"]
            hash = StoreTransaction.hash(
                after: hash,
                node: "",
                sequence: sequence,
                moment: moment,
                text: text
            )
            try database.execute(
                sql: "INSERT INTO audit (sequence, moment, record, hash) VALUES (?, ?, ?, ?)",
                arguments: [sequence, moment, text, hash]
            )
        }
        try database.execute(sql: "DROP TABLE change")
    }
}
