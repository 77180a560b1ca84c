import Foundation
import GRDB

/// The tables for the messages of transfers.
extension Schema {
    /// The messages that a transfer sent, so that a rollback deletes nothing else; the copies
    /// that a transfer may have left; and the random token of a notice.
    ///
    /// Transfers that an earlier version began have `recordsCopies` 0: their messages are not
    /// known.
    static let copies = """
        ALTER TABLE transfer ADD COLUMN recordsCopies INTEGER NOT NULL DEFAULT 0
            CHECK (recordsCopies IN (0, 1));
        ALTER TABLE transfer ADD COLUMN contested INTEGER NOT NULL DEFAULT 0
            CHECK (contested IN (0, 1));

        CREATE TABLE transferCopy (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            transfer INTEGER NOT NULL REFERENCES transfer ON DELETE CASCADE,
            -- The number of the APPEND.
            append INTEGER NOT NULL,
            -- The UID at the source.
            source INTEGER NOT NULL,
            octets INTEGER NOT NULL,
            date INTEGER NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            stored INTEGER NOT NULL DEFAULT 0 CHECK (stored IN (0, 1)),
            -- The UID at the target.
            uid INTEGER,
            CHECK (stored = 1 OR uid IS NULL)
        ) STRICT;
        CREATE INDEX transferCopyTransfer ON transferCopy (transfer);

        CREATE TABLE copyLeft (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            folder BLOB NOT NULL,
            messages INTEGER NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;

        ALTER TABLE notice ADD COLUMN token BLOB NOT NULL DEFAULT x'';
        """

    /// Gives a random token to each notice of an earlier version.
    static func giveNoticesTokens(_ database: Database) throws {
        for id in try Int64.fetchAll(database, sql: "SELECT id FROM notice") {
            try database.execute(
                sql: "UPDATE notice SET token = ? WHERE id = ?",
                arguments: [StoreTransaction.noticeToken(), id]
            )
        }
    }
}
