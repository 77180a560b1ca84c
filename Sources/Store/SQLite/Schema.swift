import Access
import GRDB

/// The migrations of the tables. A rule that a table can enforce is a constraint in the table,
/// so that no code path can violate it.
enum Schema {
    /// All migrations in order. A registered name never changes: the store records the names
    /// that were applied.
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
        migrator.registerMigration("2026-11-30 rules by whom they name") { database in
            try database.execute(sql: Self.subjects)
        }
        migrator.registerMigration("2026-11-30 copies in Sent that are required") { database in
            try database.execute(sql: Self.requiredCopies)
        }
        migrator.registerMigration("2026-11-30 rows that changed in each revision") { database in
            try database.execute(sql: Self.changes)
        }
        migrator.registerMigration("2026-11-30 one version of all names") { database in
            try database.execute(sql: Self.nameVersion)
        }
        migrator.registerMigration("2026-11-30 audit logs of several nodes") { database in
            try database.execute(sql: Self.nodes)
        }
        migrator.registerMigration("2026-11-30 audit log by node and number") { database in
            try database.execute(sql: Self.nodeIndexes)
        }
        migrator.registerMigration("2026-11-30 grants by account and subject") { database in
            try database.execute(sql: Self.grantSubjects)
        }
        migrator.registerMigration("2026-11-30 processes that make transfers") { database in
            try database.execute(sql: Self.processes)
        }
        migrator.registerMigration("2026-12-01 app passwords") { database in
            try database.execute(sql: Self.appPasswords)
        }
        migrator.registerMigration("2026-12-01 groups of the directory") { database in
            try database.execute(sql: Self.directoryGroups)
        }
        return migrator
    }

    /// The process that makes a transfer. It is 0 in a file, which one gateway uses.
    private static let processes =
        "ALTER TABLE transfer ADD COLUMN instance INTEGER NOT NULL DEFAULT 0;"

    /// Whether a message is refused if no copy of it can be kept for the Sent folder.
    private static let requiredCopies = """
        ALTER TABLE account ADD COLUMN sentCopyRequired INTEGER NOT NULL DEFAULT 0
            CHECK (sentCopyRequired IN (0, 1));
        """

    /// An edit replaces the grants of one subject on one account, each of which may have many. The
    /// columns of a subject are mostly NULL: a search for NULL would read nearly all rows.
    private static let grantSubjects = """
        DROP INDEX grantAccount;
        CREATE INDEX grantAccountSubject ON "grant" (account, user, "group");
        DROP INDEX grantUser;
        CREATE INDEX grantUser ON "grant" (user) WHERE user IS NOT NULL;
        DROP INDEX grantGroup;
        CREATE INDEX grantGroup ON "grant" ("group") WHERE "group" IS NOT NULL;
        CREATE INDEX grantEveryone ON "grant" (account) WHERE everyone = 1;
        """

    /// Indexes for the rules that an edit loads: those of the subjects that it names, and of
    /// the groups that contain them.
    private static let subjects = """
        CREATE INDEX memberUser ON member (user);
        CREATE INDEX memberInner ON member (inner);
        CREATE INDEX withdrawalAccount ON withdrawal (account);
        CREATE INDEX wallAccount ON wall (account);
        """

    /// Unsubscribed folders. Rows of earlier versions are subscribed folders.
    private static let unsubscriptions = """
        ALTER TABLE subscription ADD COLUMN isSubscribed INTEGER NOT NULL DEFAULT 1
            CHECK (isSubscribed IN (0, 1));
        """

    /// Imports from Exchange: grants to everyone, entries that give nothing, the group of an
    /// entry, and stages that were loaded and not saved yet.
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

    /// Triggers that increment the permissions version of every account with each change of a
    /// login, an address or an owner. The meaning of a name in Exchange depends on all of them,
    /// so a stage loaded before can no longer be saved. ``nameVersion`` replaces them.
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

    /// The journal of transfers between accounts.
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
}
