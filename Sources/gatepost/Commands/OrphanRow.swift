/// Something that is of no use any more: an element of the JSON array of `report orphans --json`.
struct OrphanRow: Encodable, Equatable {
    /// What it is.
    enum Kind: String, Encodable, CaseIterable {
        /// A grant to a disabled user.
        case userGrant = "user-grant"
        /// A grant to a group without an enabled member.
        case groupGrant = "group-grant"
        /// A grant that nobody used for the requested time.
        case unusedGrant = "unused-grant"
        /// An account whose owner is disabled.
        case owner
        /// An account that no enabled user owns or has a grant on.
        case account
        /// A group without an enabled member.
        case group
        /// A stored credential that a mail server refused.
        case credential

        /// The command that ends it.
        var remedy: String {
            switch self {
            case .userGrant: "gatepost user leave, or grant remove"
            case .groupGrant, .unusedGrant: "gatepost grant remove"
            case .owner: "gatepost account set --owner"
            case .account: "gatepost account set --owner, or account remove"
            case .group: "gatepost group join, or group remove"
            case .credential: "gatepost account set --password-stdin"
            }
        }
    }

    var kind: Kind
    /// The primary address.
    var account: String?
    /// A login, `group:NAME` or `anyone`.
    var subject: String?
    /// The grant's number.
    var grant: Int64?
    /// The path of the granted folder; nil for the whole account.
    var folder: String?
    /// Whether a grant on a folder includes the folders below it.
    var subtree: Bool?
    /// The last use by one of those whom the grant is for, in seconds since 1970; nil if the audit
    /// log has none.
    var lastUsed: Int64?
    /// Why it is of no use.
    var reason: String
}
