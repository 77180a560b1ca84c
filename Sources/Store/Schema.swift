import Access
import GRDB

/// The tables. Rules that a table can keep stand in the table.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("2026-11-23 first") { database in
            try database.execute(sql: Self.first)
        }
        migrator.registerMigration("2026-11-24 imports from Exchange") { database in
            try database.execute(sql: Self.imports)
        }
        migrator.registerMigration("2026-11-24 names that loads depend on") { database in
            try database.execute(sql: Self.names)
        }
        migrator.registerMigration("2026-11-24 transfers between accounts") { database in
            try database.execute(sql: Self.transfers)
        }
        migrator.registerMigration("2026-11-25 audit log, roles, notices") { database in
            try database.execute(sql: Self.audit)
            try Self.moveChanges(database)
        }
        migrator.registerMigration("2026-11-29 copies that transfers made, notices") { database in
            try database.execute(sql: Self.copies)
            try Self.giveNoticesTokens(database)
        }
        migrator.registerMigration("2026-11-29 folders that users unsubscribed from") { database in
            try database.execute(sql: Self.unsubscriptions)
        }
        return migrator
    }

    /// Rows of an earlier version are folders that users subscribed to.
    private static let unsubscriptions = """
        ALTER TABLE subscription ADD COLUMN isSubscribed INTEGER NOT NULL DEFAULT 1
            CHECK (isSubscribed IN (0, 1));
        """

    /// Who may change something is a user of the gateway, known by the name at the operating system.
    private static let audit = """
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

    /// Edits that were kept before there was an audit log are its first records.
    private static func moveChanges(_ database: Database) throws {
        let changes = try Row.fetchAll(database, sql: "SELECT * FROM change ORDER BY id").map {
            row in
            var record = AuditRecord(event: "change", actor: row["actor"], from: "command line")
            record.detail = [row["what"]]
            return (moment: Moment(seconds: row["moment"]), record: record)
        }
        try PermissionStore.append(changes, database: database)
        try database.execute(sql: "DROP TABLE change")
    }

    /// What Exchange says: entries for everyone, entries that give nothing, the group that an entry
    /// came through; what was loaded and not saved yet; who wrote to an account's lists last.
    private static let imports = """
        CREATE TABLE newGrant (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            user INTEGER REFERENCES user ON DELETE CASCADE,
            "group" INTEGER REFERENCES "group" ON DELETE CASCADE,
            everyone INTEGER NOT NULL DEFAULT 0 CHECK (everyone IN (0, 1)),
            rights TEXT NOT NULL,
            send TEXT NOT NULL CHECK (send IN ('none', 'on-behalf', 'as')),
            -- Octets, so that comparing is comparing octets; NULL for the whole account.
            folder BLOB,
            subtree INTEGER NOT NULL DEFAULT 0 CHECK (subtree IN (0, 1)),
            source TEXT NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'exchange')),
            -- The group in Exchange that the user is in.
            via TEXT,
            until INTEGER,
            confirmed INTEGER NOT NULL DEFAULT 1 CHECK (confirmed IN (0, 1)),
            author TEXT NOT NULL,
            created INTEGER NOT NULL,
            reason TEXT,
            CHECK ((user IS NOT NULL) + ("group" IS NOT NULL) + everyone = 1),
            CHECK (folder IS NOT NULL OR subtree = 0),
            CHECK (source = 'exchange' OR (everyone = 0 AND via IS NULL)),
            CHECK (rights <> '' OR send <> 'none' OR (source = 'exchange' AND folder IS NOT NULL))
        ) STRICT;
        INSERT INTO newGrant (id, account, user, "group", rights, send, folder, subtree, source,
                until, confirmed, author, created, reason)
            SELECT id, account, user, "group", rights, send, folder, subtree, source,
                until, confirmed, author, created, reason FROM "grant";
        DROP TABLE "grant";
        ALTER TABLE newGrant RENAME TO "grant";
        CREATE INDEX grantAccount ON "grant" (account);

        -- Counts the changes of what is saved of an account's permissions.
        ALTER TABLE account ADD COLUMN permissionsVersion INTEGER NOT NULL DEFAULT 0;
        -- When the permissions that were saved last had been loaded.
        ALTER TABLE account ADD COLUMN permissionsLoaded INTEGER;

        CREATE TABLE stage (
            account INTEGER PRIMARY KEY REFERENCES account ON DELETE CASCADE,
            permissionsVersion INTEGER NOT NULL,
            document TEXT NOT NULL,
            source TEXT NOT NULL,
            author TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        """

    /// Whom a name in Exchange means depends on every login, address and owner: when one of them
    /// changes, what was loaded before cannot be saved any more.
    private static let names =
        [
            ("userAdded", "INSERT ON user"), ("userRenamed", "UPDATE OF login ON user"),
            ("userRemoved", "DELETE ON user"), ("addressAdded", "INSERT ON address"),
            ("addressChanged", "UPDATE ON address"), ("addressRemoved", "DELETE ON address"),
            ("ownerChanged", "UPDATE OF owner ON account"),
        ].map { name, event in
            """
            CREATE TRIGGER \(name) AFTER \(event) BEGIN
                UPDATE account SET permissionsVersion = permissionsVersion + 1;
            END;
            """
        }.joined(separator: "\n")

    /// Messages on their way from one account to another.
    private static let transfers = """
        CREATE TABLE transfer (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            state TEXT NOT NULL CHECK (state IN ('begun', 'copied')),
            moves INTEGER NOT NULL CHECK (moves IN (0, 1)),
            source INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            sourceFolder BLOB NOT NULL,
            sourceValidity INTEGER NOT NULL,
            -- Four octets a UID.
            uids BLOB NOT NULL,
            target INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            targetFolder BLOB NOT NULL,
            targetValidity INTEGER NOT NULL,
            uidNext INTEGER NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        """

    private static let first = """
        CREATE TABLE revision (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            value INTEGER NOT NULL
        ) STRICT;
        INSERT INTO revision VALUES (1, 1);

        CREATE TABLE user (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            login TEXT NOT NULL UNIQUE,
            name TEXT,
            password TEXT,
            passwordVersion INTEGER NOT NULL DEFAULT 0,
            role TEXT CHECK (role IN ('administrator', 'settings')),
            disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))
        ) STRICT;

        CREATE TABLE "group" (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE
        ) STRICT;

        CREATE TABLE member (
            "group" INTEGER NOT NULL REFERENCES "group" ON DELETE CASCADE,
            user INTEGER REFERENCES user ON DELETE CASCADE,
            inner INTEGER REFERENCES "group" ON DELETE CASCADE,
            CHECK ((user IS NULL) <> (inner IS NULL)),
            UNIQUE ("group", user),
            UNIQUE ("group", inner)
        ) STRICT;

        CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL CHECK (kind IN ('imap', 'exchange')),
            owner INTEGER REFERENCES user ON DELETE SET NULL,
            imapHost TEXT NOT NULL,
            imapPort INTEGER NOT NULL CHECK (imapPort BETWEEN 1 AND 65535),
            imapTLS TEXT NOT NULL CHECK (imapTLS IN ('implicit', 'starttls', 'none')),
            smtpHost TEXT,
            smtpPort INTEGER CHECK (smtpPort BETWEEN 1 AND 65535),
            smtpTLS TEXT CHECK (smtpTLS IN ('implicit', 'starttls', 'none')),
            caFile TEXT,
            username TEXT NOT NULL,
            password BLOB,
            credentialVersion INTEGER NOT NULL DEFAULT 0,
            sentCopy TEXT NOT NULL DEFAULT 'none'
                CHECK (sentCopy IN ('owner', 'sender', 'both', 'none')),
            disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))
        ) STRICT;

        -- Primary addresses and aliases together, so that no two of them can be the same.
        CREATE TABLE address (
            address TEXT PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            isPrimary INTEGER NOT NULL CHECK (isPrimary IN (0, 1))
        ) STRICT;
        CREATE UNIQUE INDEX primaryAddress ON address (account) WHERE isPrimary = 1;

        CREATE TABLE "grant" (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            user INTEGER REFERENCES user ON DELETE CASCADE,
            "group" INTEGER REFERENCES "group" ON DELETE CASCADE,
            rights TEXT NOT NULL,
            send TEXT NOT NULL CHECK (send IN ('none', 'on-behalf', 'as')),
            -- Octets, so that comparing is comparing octets; NULL for the whole account.
            folder BLOB,
            subtree INTEGER NOT NULL DEFAULT 0 CHECK (subtree IN (0, 1)),
            source TEXT NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'exchange')),
            until INTEGER,
            confirmed INTEGER NOT NULL DEFAULT 1 CHECK (confirmed IN (0, 1)),
            author TEXT NOT NULL,
            created INTEGER NOT NULL,
            reason TEXT,
            CHECK ((user IS NULL) <> ("group" IS NULL)),
            CHECK (folder IS NOT NULL OR subtree = 0),
            CHECK (rights <> '' OR send <> 'none')
        ) STRICT;
        CREATE INDEX grantAccount ON "grant" (account);

        CREATE TABLE withdrawal (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            user INTEGER REFERENCES user ON DELETE CASCADE,
            "group" INTEGER REFERENCES "group" ON DELETE CASCADE,
            view INTEGER NOT NULL CHECK (view IN (0, 1)),
            send INTEGER NOT NULL CHECK (send IN (0, 1)),
            source TEXT NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'exchange')),
            author TEXT NOT NULL,
            created INTEGER NOT NULL,
            CHECK ((user IS NULL) <> ("group" IS NULL)),
            CHECK (view = 1 OR send = 1)
        ) STRICT;

        CREATE TABLE wall (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            user INTEGER REFERENCES user ON DELETE CASCADE,
            "group" INTEGER REFERENCES "group" ON DELETE CASCADE,
            reason TEXT NOT NULL,
            author TEXT NOT NULL,
            created INTEGER NOT NULL,
            CHECK ((user IS NULL) <> ("group" IS NULL))
        ) STRICT;

        CREATE TABLE subscription (
            user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            folder BLOB NOT NULL,
            PRIMARY KEY (user, account, folder)
        ) STRICT;

        -- Operating-system users who may change something.
        CREATE TABLE actor (
            name TEXT PRIMARY KEY,
            role TEXT NOT NULL CHECK (role IN ('administrator', 'settings'))
        ) STRICT;

        -- Every edit: when, who, what.
        CREATE TABLE change (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            moment INTEGER NOT NULL,
            actor TEXT NOT NULL,
            what TEXT NOT NULL
        ) STRICT;
        """
}
