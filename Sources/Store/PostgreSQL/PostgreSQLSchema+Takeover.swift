/// The tables and columns for what another node may take over.
extension PostgreSQLSchema {
    /// The process that owns a transfer, and copies of sent messages that wait for a Sent folder.
    static let takeover = """
        -- A random number of the process; 0 for none.
        ALTER TABLE transfer ADD COLUMN instance bigint NOT NULL DEFAULT 0;

        CREATE TABLE sentCopy (
            -- The name of the file at the node that took the message.
            name text COLLATE "C" PRIMARY KEY,
            account bigint NOT NULL REFERENCES account ON DELETE CASCADE,
            state text COLLATE "C" NOT NULL CHECK (
                state IN ('unsent', 'sent', 'unknown', 'filed')),
            octets bigint NOT NULL,
            messageID text COLLATE "C",
            created bigint NOT NULL,
            -- The process that files the copy.
            node text COLLATE "C" NOT NULL,
            instance bigint NOT NULL
        );
        CREATE INDEX sentCopyInstance ON sentCopy (instance);
        CREATE INDEX sentCopyAccount ON sentCopy (account);

        CREATE TABLE sentCopyChunk (
            copy text COLLATE "C" NOT NULL REFERENCES sentCopy ON DELETE CASCADE,
            number bigint NOT NULL,
            octets bytea NOT NULL,
            PRIMARY KEY (copy, number)
        );
        """
}
