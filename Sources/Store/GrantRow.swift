/// A grant as the command line shows it.
package struct GrantRow: Codable, Equatable, Sendable {
    package var id: Int64
    package var account: String
    package var subject: String
    package var rights: String
    package var send: String
    @Nullable package var folder: String?
    package var subtree: Bool
    /// `local`, or `exchange` for what an import brought.
    package var source: String
    /// The group in Exchange through which it reaches the user.
    @Nullable package var via: String?
    /// Whether it counts, where that is asked for.
    package var confirmed: Bool
    /// Seconds since 1970.
    @Nullable package var until: Int64?
    package var author: String
    package var created: Int64
    @Nullable package var reason: String?
    /// What of it has no effect, because it was withdrawn: `view`, `send` or `view send`.
    @Nullable package var withdrawn: String?
}
