import CPostgreSQL

/// The parameters of a connection, from a URI.
struct PostgreSQLParameters: Sendable {
    /// Parameters for each that the URI does not have.
    ///
    /// A server that hangs or a network that was cut ends a connection within seconds, so that the
    /// next one goes to the server that took over. Only a primary server has the current rules.
    private static let defaults = [
        "connect_timeout": "2",
        "target_session_attrs": "read-write",
        "tcp_user_timeout": "5000",
        "keepalives_idle": "5",
        "keepalives_interval": "1",
        "keepalives_count": "3",
    ]
    /// The values of `sslmode` with which nobody between the gateway and the server can change
    /// rules. libpq verifies the name only with the second one.
    private static let securedModes = ["verify-ca", "verify-full"]

    /// Where Debian's server has its socket.
    private static let socketFolder = "/var/run/postgresql"

    /// The values by keyword (PostgreSQL documentation, "Parameter Key Words").
    private var values: [String: String] = [:]

    /// Parses a URI.
    /// - Parameter node: The node's name, which the server shows as the name of the application.
    /// - Throws: ``StoreError`` of kind `unusable` for a URI that libpq does not accept, and for one
    ///   without TLS to another machine.
    init(_ server: PostgreSQLServer) throws {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(server.url, &message) else {
            defer { PQfreemem(message) }
            let reason = message.map { String(cString: $0) } ?? "libpq lacks memory"
            throw StoreError.unusable(
                "store: the URL of the database is not usable ("
                    + reason.split(separator: "\n").joined(separator: " ")
                    + "): write postgresql://USER@HOST/DATABASE"
            )
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                self.values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        guard self.values["service"] == nil else {
            throw StoreError.unusable(
                "store: a URL with service= does not say where the database is: write its host"
            )
        }
        // libpq would take these from the environment, after the check for TLS.
        if self.values["host"] == nil, self.values["hostaddr"] == nil {
            self.values["host"] = Self.socketFolder
        }
        self.values["hostaddr"] = self.values["hostaddr"] ?? ""
        for (keyword, value) in Self.defaults where self.values[keyword] == nil {
            self.values[keyword] = value
        }
        try self.requireTLS()
        self.values["client_encoding"] = "UTF8"
        self.values["application_name"] = "gatepost \(server.node)"
    }

    /// Where the database is, without the password.
    var place: String {
        "database \(self.values["dbname"] ?? self.values["user"] ?? "") on \(self.hosts)"
    }

    /// The addresses that libpq connects to, with commas between them.
    private var hosts: String {
        let addresses = self.values["hostaddr"] ?? ""
        return addresses.isEmpty ? self.values["host"] ?? "" : addresses
    }

    /// Requires a verified server unless it is on this machine: who can change the answers of the
    /// database opens every mailbox.
    private mutating func requireTLS() throws {
        let hosts = self.hosts.split(separator: ",")
        let isLocal = hosts.allSatisfy { host in
            host.hasPrefix("/") || host.hasPrefix("@") || host == "::1" || host == "localhost"
                || StoreTransaction.isLoopbackAddress(String(host))
        }
        guard !isLocal else { return }
        let mode = self.values["sslmode"] ?? "verify-full"
        guard Self.securedModes.contains(mode) else {
            throw StoreError.unusable(
                "store: sslmode=\(mode) does not verify the database server: use "
                    + "sslmode=verify-full and sslrootcert=FILE in the URL"
            )
        }
        self.values["sslmode"] = mode
    }

    /// Keywords and values, for libpq.
    var strings: ([String?], [String?]) {
        let sorted = self.values.sorted { $0.key < $1.key }
        return (sorted.map(\.key), sorted.map(\.value))
    }
}
