/// An invented organization in Exchange Online.
package struct ExchangeOrganization: Sendable {
    /// The mailboxes, each with its permissions.
    package var mailboxes: [Mailbox]
    package var groups: [Group]
    /// The applications that the organization knows.
    package var applications: [Application]
    /// Addresses of disabled users.
    package var disabled: Set<String>
    /// The mailbox that FullAccess rows name, if it is not the requested one.
    package var answersAbout: String?

    package init(
        mailboxes: [Mailbox] = [],
        groups: [Group] = [],
        applications: [Application] = [],
        disabled: Set<String> = [],
        answersAbout: String? = nil
    ) {
        self.mailboxes = mailboxes
        self.groups = groups
        self.applications = applications
        self.disabled = disabled
        self.answersAbout = answersAbout
    }

    /// A right of a user or a group on a whole mailbox.
    package struct Entry: Sendable {
        /// An address or a display name.
        package var user: String
        package var isDenied: Bool

        package init(user: String, isDenied: Bool = false) {
            self.user = user
            self.isDenied = isDenied
        }
    }

    /// A folder of a mailbox with its permissions.
    package struct Folder: Sendable {
        /// The path with `/` between components.
        package var path: String
        /// Exchange's FolderType, for example `Inbox` or `User Created`.
        package var type: String
        /// The users with their folder roles or rights.
        package var entries: [(user: String, rights: [String])]
        /// The name in permission rows, if it differs from the folder's name.
        package var shownName: String?

        package init(
            path: String,
            type: String,
            entries: [(user: String, rights: [String])] = [],
            shownName: String? = nil
        ) {
            self.path = path
            self.type = type
            self.entries = entries
            self.shownName = shownName
        }
    }

    /// A mailbox with its permissions and folders.
    package struct Mailbox: Sendable {
        package var address: String
        package var name: String
        package var aliases: [String]
        /// Exchange's RecipientTypeDetails, for example `UserMailbox`.
        package var type: String
        package var fullAccess: [Entry]
        package var sendAs: [Entry]
        package var sendOnBehalf: [String]
        package var folders: [Folder]

        package init(
            address: String,
            name: String,
            aliases: [String] = [],
            type: String = "UserMailbox",
            fullAccess: [Entry] = [],
            sendAs: [Entry] = [],
            sendOnBehalf: [String] = [],
            folders: [Folder] = [Folder(path: "Inbox", type: "Inbox")]
        ) {
            self.address = address
            self.name = name
            self.aliases = aliases
            self.type = type
            self.fullAccess = fullAccess
            self.sendAs = sendAs
            self.sendOnBehalf = sendOnBehalf
            self.folders = folders
        }
    }

    /// An application that the organization registered with `New-ServicePrincipal`.
    package struct Application: Sendable {
        package var name: String
        /// The application ID in Entra.
        package var id: String

        package init(name: String, id: String) {
            self.name = name
            self.id = id
        }
    }

    /// A group of mailboxes and other groups.
    package struct Group: Sendable {
        package var name: String
        package var address: String
        /// Exchange's RecipientTypeDetails, for example `MailUniversalSecurityGroup`.
        package var type: String
        /// Addresses of the members.
        package var members: [String]

        package init(
            name: String,
            address: String,
            type: String = "MailUniversalSecurityGroup",
            members: [String] = []
        ) {
            self.name = name
            self.address = address
            self.type = type
            self.members = members
        }
    }
}
