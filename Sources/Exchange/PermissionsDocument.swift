/// The permissions of Exchange mailboxes, in the same form for every source: the export script, the
/// output of Exchange's cmdlets, or Exchange Online.
///
/// Names are Exchange's. ``Resolution`` finds the users of the gateway behind them.
package struct PermissionsDocument: Codable, Equatable, Sendable {
    /// A user, a group or a service in one of Exchange's lists, with all that the source knows of
    /// it.
    package struct Principal: Codable, Hashable, Sendable {
        /// The name in the list: an address, a display name, `DOMAIN\name`, a SID or a GUID.
        package var name: String
        package var sid: String?
        package var guid: String?
        package var address: String?
        /// The type of a folder entry: `Internal`, `External`, `Default`, `Anonymous` or `Unknown`.
        package var kind: String?
        /// Whether the name ends in `...`, as a truncated name does: it then identifies nobody.
        package var isCut: Bool?

        package init(
            name: String,
            sid: String? = nil,
            guid: String? = nil,
            address: String? = nil,
            kind: String? = nil,
            isCut: Bool? = nil
        ) {
            self.name = name
            self.sid = sid
            self.guid = guid
            self.address = address
            self.kind = kind
            self.isCut = isCut
        }
    }

    /// An entry for FullAccess or Send As.
    package struct AccessEntry: Codable, Hashable, Sendable {
        package var principal: Principal
        /// Whether the entry denies the right.
        package var isDenied: Bool
        /// Whether the entry is inherited from a container instead of being set on the mailbox.
        package var isInherited: Bool

        package init(principal: Principal, isDenied: Bool = false, isInherited: Bool = false) {
            self.principal = principal
            self.isDenied = isDenied
            self.isInherited = isInherited
        }
    }

    /// An entry of a folder's list.
    package struct FolderEntry: Codable, Hashable, Sendable {
        package var principal: Principal
        /// A role (`Editor`) or rights (`ReadItems`, `FolderVisible`).
        package var rights: [String]

        package init(principal: Principal, rights: [String]) {
            self.principal = principal
            self.rights = rights
        }
    }

    /// A folder with its list.
    package struct Folder: Codable, Hashable, Sendable {
        /// The names from the top level, in the mailbox's language.
        package var path: [String]
        /// Exchange's FolderType (`Inbox`, `Calendar`, `User Created`), which is the same in every
        /// language; nil if it is unknown.
        package var type: String?
        package var entries: [FolderEntry]

        package init(path: [String], type: String? = nil, entries: [FolderEntry]) {
            self.path = path
            self.type = type
            self.entries = entries
        }
    }

    /// A mailbox with its lists.
    package struct Mailbox: Codable, Hashable, Sendable {
        /// The primary address.
        package var address: String
        /// Further names of the mailbox: addresses, display names, IDs.
        package var identities: [String]
        package var fullAccess: [AccessEntry]
        package var sendAs: [AccessEntry]
        package var sendOnBehalf: [Principal]
        package var folders: [Folder]

        package init(
            address: String,
            identities: [String] = [],
            fullAccess: [AccessEntry] = [],
            sendAs: [AccessEntry] = [],
            sendOnBehalf: [Principal] = [],
            folders: [Folder] = []
        ) {
            self.address = address
            self.identities = identities
            self.fullAccess = fullAccess
            self.sendAs = sendAs
            self.sendOnBehalf = sendOnBehalf
            self.folders = folders
        }
    }

    /// An entry of the organization's directory.
    package struct Recipient: Codable, Hashable, Sendable {
        /// The GUIDs of the recipient, in any spelling.
        package var guids: [String]
        /// The current and former SIDs.
        package var sids: [String]
        /// The addresses, with or without `SMTP:`, and the user principal name.
        package var addresses: [String]
        /// Name, display name, alias, distinguished name, `DOMAIN\name`.
        package var names: [String]
        /// Exchange's RecipientTypeDetails.
        package var type: String
        /// Whether the account is enabled.
        package var isEnabled: Bool
        /// The GUIDs of a group's members; nil for other recipients, and for unknown members.
        package var members: [String]?

        package init(
            guids: [String] = [],
            sids: [String] = [],
            addresses: [String] = [],
            names: [String] = [],
            type: String = "UserMailbox",
            isEnabled: Bool = true,
            members: [String]? = nil
        ) {
            self.guids = guids
            self.sids = sids
            self.addresses = addresses
            self.names = names
            self.type = type
            self.isEnabled = isEnabled
            self.members = members
        }
    }

    package var mailboxes: [Mailbox]
    /// The recipients, including groups and applications.
    package var recipients: [Recipient]
    /// Whether the recipients are complete.
    package var hasWholeDirectory: Bool
    /// Facts that the source could not determine.
    package var notes: [String]

    package init(
        mailboxes: [Mailbox] = [],
        recipients: [Recipient] = [],
        hasWholeDirectory: Bool = false,
        notes: [String] = []
    ) {
        self.mailboxes = mailboxes
        self.recipients = recipients
        self.hasWholeDirectory = hasWholeDirectory
        self.notes = notes
    }
}
