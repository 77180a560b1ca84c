import Access
import GRDB

/// The tables of the first version.
extension Schema {
    /// Users, groups, accounts, grants, withdrawals, walls and subscriptions. Later migrations
    /// change these tables; this text must stay as it is.
    static let first = """
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
