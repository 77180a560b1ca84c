/// An account as the command line shows it.
package struct AccountRow: Codable, Equatable, Sendable {
    package struct Server: Codable, Equatable, Sendable {
        package var host: String
        package var port: Int
        package var tls: String

        package init(host: String, port: Int, tls: String) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }

    package var address: String
    package var kind: String
    package var owner: String?
    package var aliases: [String]
    package var imap: Server
    package var smtp: Server?
    package var caFile: String?
    package var username: String
    package var hasCredential: Bool
    package var sentCopy: String
    /// When what is saved of Exchange's permissions was loaded, in seconds since 1970; nil where
    /// nothing was.
    @Nullable package var permissionsLoaded: Int64?
}
