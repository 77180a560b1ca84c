/// The names of tables in PostgreSQL.
enum PostgreSQLTables {
    /// The channel on which each edit tells the other nodes.
    static let channel = "gatepost"

    /// The tables that are copied between engines, each after those that it refers to.
    static let copied = [
        "revision", "revisionToken", "nameVersion", "setting", "user", "group", "member", "account",
        "address", "grant", "withdrawal", "wall", "subscription", "stage", "audit", "auditSeal",
        "transfer", "transferCopy", "copyLeft", "notice",
    ]
    /// The tables whose rows have a key from a sequence.
    static let withKeys: Set<String> = [
        "user", "group", "account", "grant", "withdrawal", "wall", "transferCopy", "copyLeft",
        "notice",
    ]
}
