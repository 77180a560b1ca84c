import Access
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

    /// Columns that are computed from the record, and indexes of them and of the moment. A column
    /// is null for a record that is no JSON, and `detail` for a record that names an account.
    static let auditIndexes =
        [
            ("account", "json_extract(record, '$.account')"),
            ("targetAccount", "json_extract(record, '$.targetAccount')"),
            ("actor", "json_extract(record, '$.actor')"),
            (
                "detail",
                """
                CASE WHEN json_extract(record, '$.account') IS NULL
                    THEN json_extract(record, '$.detail') END
                """
            ),
        ].map { name, value in
            """
            ALTER TABLE audit ADD COLUMN \(name) TEXT GENERATED ALWAYS AS
                (CASE WHEN json_valid(record) THEN \(value) END) VIRTUAL;

            """
        }.joined() + """
            CREATE INDEX auditMoment ON audit (moment);
            CREATE INDEX auditAccount ON audit (account) WHERE account IS NOT NULL;
            CREATE INDEX auditTarget ON audit (targetAccount) WHERE targetAccount IS NOT NULL;
            CREATE INDEX auditActor ON audit (actor);
            CREATE INDEX auditDetail ON audit (sequence) WHERE detail IS NOT NULL;
            """

    /// Converts the edits that earlier versions kept in the table `change` into the first
    /// records of the audit log.
    static func moveChanges(_ database: Database) throws {
        let changes = try Row.fetchAll(database, sql: "SELECT * FROM change ORDER BY id").map {
            row in
            var record = AuditRecord(event: "change", actor: row["actor"], from: "command line")
            record.detail = [row["what"]]
            return (moment: Moment(seconds: row["moment"]), record: record)
        }
        try StoreTransaction(database).append(changes)
        try database.execute(sql: "DROP TABLE change")
    }
}
