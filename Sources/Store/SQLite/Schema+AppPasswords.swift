/// The tables of app passwords.
extension Schema {
    /// A change of an app password is a change of its user.
    static let recordedAppPasswords = [
        Recorded(table: "appPassword", kind: "user", key: "$.user")
    ]

    static var appPasswords: String {
        """
        CREATE TABLE appPassword (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
            name TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            created INTEGER NOT NULL,
            expires INTEGER,
            UNIQUE (user, name)
        ) STRICT;
        CREATE TABLE appPasswordUse (
            appPassword INTEGER PRIMARY KEY REFERENCES appPassword ON DELETE CASCADE,
            moment INTEGER NOT NULL
        ) STRICT;

        """ + Self.triggers(of: Self.recordedAppPasswords, from: 100)
    }
}
