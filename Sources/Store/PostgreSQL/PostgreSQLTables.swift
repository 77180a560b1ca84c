/// The names of tables in PostgreSQL.
enum PostgreSQLTables {
    /// The channel on which each edit tells the other nodes.
    static let channel = "gatepost"
    /// The channel on which a command tells the nodes of a request.
    static let requests = "gatepost_requests"

    /// The tables whose rows have a key from a sequence.
    static let withKeys: Set<String> = [
        "user", "group", "account", "grant", "withdrawal", "wall", "transferCopy", "copyLeft",
        "notice", "appPassword",
    ]
}
