/// The version of all names, and the indexes for the removal of what rules name.
extension Schema {
    /// A change of a login, an address or an owner increments one number, on which every stage
    /// depends. Before, it incremented a number of every account, so adding accounts took time in
    /// proportion to the square of their number.
    ///
    /// The indexes serve the deletion of users, groups and accounts, which deletes what refers
    /// to them.
    static let nameVersion =
        """
        CREATE TABLE nameVersion (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            value INTEGER NOT NULL
        ) STRICT;
        INSERT INTO nameVersion VALUES (1, 0);

        CREATE INDEX addressAccount ON address (account);
        CREATE INDEX accountOwner ON account (owner);
        CREATE INDEX grantUser ON "grant" (user);
        CREATE INDEX grantGroup ON "grant" ("group");
        CREATE INDEX withdrawalUser ON withdrawal (user);
        CREATE INDEX withdrawalGroup ON withdrawal ("group");
        CREATE INDEX wallUser ON wall (user);
        CREATE INDEX wallGroup ON wall ("group");
        CREATE INDEX subscriptionAccount ON subscription (account);
        CREATE INDEX noticeAccount ON notice (account);

        """
        + [
            ("userAdded", "INSERT ON user"), ("userRenamed", "UPDATE OF login ON user"),
            ("userRemoved", "DELETE ON user"), ("addressAdded", "INSERT ON address"),
            ("addressChanged", "UPDATE ON address"), ("addressRemoved", "DELETE ON address"),
            ("ownerChanged", "UPDATE OF owner ON account"),
        ].map { name, event in
            """
            DROP TRIGGER \(name);
            CREATE TRIGGER \(name) AFTER \(event) BEGIN
                UPDATE nameVersion SET value = value + 1;
            END;
            """
        }.joined(separator: "\n")
}
