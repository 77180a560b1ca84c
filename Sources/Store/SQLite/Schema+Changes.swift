/// The table of changed rows, and the triggers that fill it.
extension Schema {
    /// A change belongs to the revision that its transaction makes: the one after the current.
    private static let tables = """
        CREATE TABLE rowChange (
            revision INTEGER NOT NULL,
            -- user, group, memberUser, memberGroup, account, grant, withdrawal, wall; all: the whole store
            kind TEXT NOT NULL,
            -- The group of a member, the account of a grant; 0 for others.
            container INTEGER NOT NULL,
            key INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX rowChangeRevision ON rowChange (revision);
        -- The revision from which on every change is recorded.
        CREATE TABLE rowChangeStart (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            first INTEGER NOT NULL
        ) STRICT;
        INSERT INTO rowChangeStart SELECT 1, value FROM revision;
        """

    /// A table, and how a row of it is named. Each `$` stands for the row, `NEW` or `OLD`.
    struct Recorded {
        var table: String
        var kind: String
        var container = "0"
        var key: String
        var condition = "1"
        /// The columns whose update counts; empty for all.
        var columns: [String] = []
    }

    /// The columns of `account` that a snapshot is read from. The others, which count loads from
    /// Exchange, change in every account whenever a name changes.
    static let accountColumns = [
        "id", "kind", "owner", "imapHost", "imapPort", "imapTLS", "smtpHost", "smtpPort", "smtpTLS",
        "caFile", "username", "password", "credentialVersion", "sentCopy", "disabled",
        "sentCopyRequired",
    ]

    /// The rows that are recorded.
    static let recorded = [
        Recorded(table: "user", kind: "user", key: "$.id"),
        Recorded(table: "\"group\"", kind: "group", key: "$.id"),
        Recorded(
            table: "member",
            kind: "memberUser",
            container: "$.\"group\"",
            key: "$.user",
            condition: "$.user IS NOT NULL"
        ),
        Recorded(
            table: "member",
            kind: "memberGroup",
            container: "$.\"group\"",
            key: "$.inner",
            condition: "$.inner IS NOT NULL"
        ),
        Recorded(table: "account", kind: "account", key: "$.id", columns: accountColumns),
        Recorded(table: "address", kind: "account", key: "$.account"),
        Recorded(table: "\"grant\"", kind: "grant", container: "$.account", key: "$.id"),
        Recorded(table: "withdrawal", kind: "withdrawal", key: "$.account"),
        Recorded(table: "wall", kind: "wall", key: "$.account"),
    ]

    /// The tables and one trigger for each table, kind and operation.
    static var changes: String {
        Self.tables + "\n" + Self.triggers(of: Self.recorded, from: 0)
    }

    /// The triggers for rows.
    /// - Parameter first: The number of the first row in the names of the triggers.
    static func triggers(of rows: [Recorded], from first: Int) -> String {
        rows.enumerated().flatMap { Self.triggers(number: first + $0, of: $1) }
            .joined(separator: "\n")
    }

    private static func triggers(number: Int, of row: Recorded) -> [String] {
        [("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"])].map {
            operation,
            rows in
            let statements = rows.map { name in
                """
                INSERT INTO rowChange (revision, kind, container, key)
                SELECT value + 1, '\(row.kind)', \(row.container), \(row.key) FROM revision
                WHERE \(row.condition);
                """.replacing("$", with: name)
            }
            let isOfSome = operation == "UPDATE" && !row.columns.isEmpty
            let columns = isOfSome ? " OF \(row.columns.joined(separator: ", "))" : ""
            return """
                CREATE TRIGGER rowChange\(number)\(operation)
                AFTER \(operation)\(columns) ON \(row.table)
                BEGIN \(statements.joined(separator: "\n")) END;
                """
        }
    }
}
