/// Where a store is.
package enum StoreLocation: Equatable, Sendable {
    /// In a file of SQLite.
    case file(path: String)
    /// In a database of PostgreSQL.
    case postgreSQL(PostgreSQLServer)

    /// The path of the file, or the first part of the paths of what a node keeps beside a database.
    package var path: String {
        switch self {
        case .file(let path): path
        case .postgreSQL(let server): server.state + "/gatepost"
        }
    }

    /// The file or folder whose owner may change everything: who can write it can read the
    /// password of the database.
    var ownedPath: String {
        switch self {
        case .file(let path): path
        case .postgreSQL(let server): server.state
        }
    }

    /// The store's name in messages, without a password.
    package var name: String {
        switch self {
        case .file(let path): path
        case .postgreSQL(let server): (try? PostgreSQLParameters(server).place) ?? "the database"
        }
    }

    /// Whether a text is the URL of a PostgreSQL database rather than a path.
    package static func isURL(_ text: String) -> Bool {
        ["postgresql://", "postgres://"].contains { text.hasPrefix($0) }
    }
}
