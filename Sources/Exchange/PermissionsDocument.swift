/// The permissions of Exchange mailboxes in one form, wherever they were read: by the export
/// script, from the raw output of Exchange's cmdlets, or online.
///
/// Names are Exchange's own; who they are among the gateway's users is decided by ``Resolution``.
package struct PermissionsDocument: Codable, Equatable, Sendable {
    /// Somebody or something that a list in Exchange names, by whatever the source knew.
    package struct Principal: Codable, Hashable, Sendable {
        /// As Exchange shows it: an address, a name, `DOMAIN\name`, a SID, a GUID.
        package var name: String
        package var sid: String?
        package var guid: String?
        package var address: String?
        /// `Internal`, `External`, `Default`, `Anonymous`, `Unknown`: folder entries only.
        package var kind: String?
        /// Whether the name ends in `...`, as a name ends that was cut: then it tells nobody.
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

    /// FullAccess of a mailbox, or Send As.
    package struct AccessEntry: Codable, Hashable, Sendable {
        package var principal: Principal
        package var isDenied: Bool
        package var isInherited: Bool

        package init(principal: Principal, isDenied: Bool = false, isInherited: Bool = false) {
            self.principal = principal
            self.isDenied = isDenied
            self.isInherited = isInherited
        }
    }

    package struct FolderEntry: Codable, Hashable, Sendable {
        package var principal: Principal
        /// A role (`Editor`), or rights (`ReadItems`, `FolderVisible`).
        package var rights: [String]

        package init(principal: Principal, rights: [String]) {
            self.principal = principal
            self.rights = rights
        }
    }

    package struct Folder: Codable, Hashable, Sendable {
        /// Components from the top level; the names are in the mailbox's language.
        package var path: [String]
        /// Exchange's invariant type (`Inbox`, `Calendar`, `User Created`), where it is known.
        package var type: String?
        package var entries: [FolderEntry]

        package init(path: [String], type: String? = nil, entries: [FolderEntry]) {
            self.path = path
            self.type = type
            self.entries = entries
        }
    }

    package struct Mailbox: Codable, Hashable, Sendable {
        /// The primary address.
        package var address: String
        /// What else the mailbox is called: other addresses, names, ids.
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

    /// One entry of the organisation's directory.
    package struct Recipient: Codable, Hashable, Sendable {
        /// GUIDs that Exchange may name it by, in any spelling.
        package var guids: [String]
        /// Its SID, and those it had before.
        package var sids: [String]
        /// Addresses, with or without `SMTP:`, and the user principal name.
        package var addresses: [String]
        /// Name, display name, alias, distinguished name, `DOMAIN\name`.
        package var names: [String]
        /// `RecipientTypeDetails`.
        package var type: String
        package var isEnabled: Bool
        /// GUIDs of a group's members; nil for what is no group, or whose members are not known.
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
    package var recipients: [Recipient]
    /// Whether the recipients are all that the organisation has.
    package var hasWholeDirectory: Bool
    /// What the source could not tell.
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
