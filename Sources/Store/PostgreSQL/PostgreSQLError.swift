/// An error that libpq or the server reported.
struct PostgreSQLError: Error, Equatable, CustomStringConvertible {
    /// The code of the error (PostgreSQL documentation, Appendix A); empty for a connection that
    /// was lost, or was never made.
    var code: String
    /// The message.
    var description: String

    /// Whether the connection was lost, or was never made.
    var isOfConnection: Bool {
        // Class 08: connection exception; class 57P: the server shuts down or starts.
        self.code.isEmpty || self.code.hasPrefix("08") || self.code.hasPrefix("57P")
    }

    /// The error with a remedy.
    var explained: StoreError {
        switch self.code {
        case "55P03", "40P01", "40001":
            .unusable("the store is in use by another command: try again")
        case "42501", "25006":
            .refused(
                "the database may not be written (\(self.description)): grant this role the tables of "
                    + "the store, and connect to the primary server"
            )
        case _ where self.code.hasPrefix("23"):
            .refused("this violates a constraint of the store (\(self.description))")
        default:
            .unusable("the store failed: \(self.description)")
        }
    }
}
