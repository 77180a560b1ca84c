/// One client session, as `gatepost session list` shows it.
package struct SessionSummary: Codable, Equatable, Sendable {
    /// The node of the gateway; nil for a store that has one gateway.
    package var node: String?
    /// The number of the session, unique in a run of the gateway.
    package var session: UInt64
    /// The login of the user.
    package var user: String
    /// `imap` or `submission`.
    package var `protocol`: String
    /// The client's address; nil for a channel without one.
    package var from: String?
    /// Seconds since 1970.
    package var since: Int64
    /// The primary address of the open account; nil if none is open.
    package var account: String?
    /// The open folder; nil if none is open.
    package var folder: String?
}
