/// An invented organization at Exchange Online.
package struct ExchangeOrganization: Sendable {
    package var mailboxes: [Mailbox]
    package var groups: [Group]
    package var applications: [Application]
    /// Addresses of people whose account is disabled.
    package var disabled: Set<String>
    /// The mailbox that rows of FullAccess are said to be about, where it is not the one asked for.
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

    /// Somebody with a right on a whole mailbox.
    package struct Entry: Sendable {
        package var user: String
        package var isDenied: Bool

        package init(user: String, isDenied: Bool = false) {
            self.user = user
            self.isDenied = isDenied
        }
    }

    /// A folder of a mailbox, and who may do what in it.
    package struct Folder: Sendable {
        /// With `/` between the components.
        package var path: String
        package var type: String
        package var entries: [(user: String, rights: [String])]
        /// What rows of its permissions call it, where that is not its name.
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

    /// A mailbox, its rights and its folders.
    package struct Mailbox: Sendable {
        package var address: String
        package var name: String
        package var aliases: [String]
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

    /// An application that the organization let in, by `New-ServicePrincipal`.
    package struct Application: Sendable {
        package var name: String
        package var id: String

        package init(name: String, id: String) {
            self.name = name
            self.id = id
        }
    }

    /// A group of mailboxes and groups.
    package struct Group: Sendable {
        package var name: String
        package var address: String
        package var type: String
        /// Addresses of mailboxes and groups.
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
