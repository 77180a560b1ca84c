/// A cmdlet of Exchange Online that an import runs; the raw value is its name.
enum Cmdlet: String, CaseIterable, Sendable {
    case mailbox = "Get-Mailbox"
    case folderPermission = "Get-MailboxFolderPermission"
    case groupMember = "Get-DistributionGroupMember"
    case dynamicGroupMember = "Get-DynamicDistributionGroupMember"
    case mailboxPermission = "Get-MailboxPermission"
    case recipientPermission = "Get-RecipientPermission"
    case folderStatistics = "Get-MailboxFolderStatistics"
    case recipient = "Get-Recipient"
    case user = "Get-User"
    case group = "Get-Group"
    case servicePrincipal = "Get-ServicePrincipal"

    /// The endpoint in the Admin API v2.0; nil if it has none.
    var endpoint: String? {
        switch self {
        case .mailbox: "Mailbox"
        case .folderPermission: "MailboxFolderPermission"
        case .groupMember: "DistributionGroupMember"
        case .dynamicGroupMember: "DynamicDistributionGroupMember"
        case .mailboxPermission, .recipientPermission, .folderStatistics, .recipient, .user, .group,
            .servicePrincipal:
            nil
        }
    }

    /// The name of the cmdlet's result in a report.
    var topic: String {
        switch self {
        case .mailbox: "Send on Behalf"
        case .folderPermission: "folder permissions"
        case .groupMember, .dynamicGroupMember: "group members"
        case .mailboxPermission: "FullAccess"
        case .recipientPermission: "Send As"
        case .folderStatistics: "the list of folders"
        case .recipient, .user, .group, .servicePrincipal: "the directory"
        }
    }
}

/// A request for the rows of a cmdlet.
struct Question: Sendable {
    /// How the Admin API v2.0 is used for the request.
    enum Documented: Sendable {
        /// With the same identity.
        case same
        /// With another identity of the object.
        case identity(String)
        /// The API lacks the request, for this reason.
        case not(String)
    }

    /// The cmdlet to run.
    var cmdlet: Cmdlet
    /// The object, by any name that Exchange accepts; nil for all objects.
    var identity: String?
    /// Whether all rows are needed. Otherwise a cmdlet returns at most a thousand.
    var isWhole: Bool
    /// How the Admin API v2.0 is used.
    var documented: Documented

    init(
        _ cmdlet: Cmdlet,
        identity: String? = nil,
        isWhole: Bool = false,
        documented: Documented = .same
    ) {
        self.cmdlet = cmdlet
        self.identity = identity
        self.isWhole = isWhole
        self.documented = documented
    }
}
