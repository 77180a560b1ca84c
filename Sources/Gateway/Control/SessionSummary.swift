/// One client's session, as administrators see it.
package struct SessionSummary: Codable, Equatable, Sendable {
    package var session: UInt64
    package var user: String
    /// `imap` or `submission`.
    package var `protocol`: String
    package var from: String?
    /// Seconds since 1970.
    package var since: Int64
    /// What is open: an account, and a folder of it.
    package var account: String?
    package var folder: String?
}
