/// A cmdlet of Exchange Online that a load asks.
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

    /// Its endpoint of the Admin API v2.0; nil where that has none.
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

    /// What it tells, in the words of a report.
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

/// What a load asks Exchange Online.
struct Question: Sendable {
    /// How the Admin API v2.0 is asked.
    enum Documented: Sendable {
        case same
        /// It calls the object otherwise.
        case identity(String)
        /// It cannot be asked, and why.
        case not(String)
    }

    var cmdlet: Cmdlet
    var identity: String?
    /// Whether all rows are wanted; else a cmdlet tells a thousand.
    var isWhole: Bool
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
