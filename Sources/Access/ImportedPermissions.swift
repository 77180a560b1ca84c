/// The permissions that Exchange has for one account, in terms of the model.
///
/// Each name is a login of the gateway, or listed as unresolved.
package struct ImportedPermissions: Codable, Equatable, Sendable {
    /// One right of one user.
    package struct Entry: Codable, Hashable, Sendable {
        /// A login; nil for everyone.
        package var login: String?
        /// The Exchange group through which the user has the right.
        package var via: String?
        /// Letters of RFC 4314 §2.1. An entry without letters still overrides entries of lower
        /// precedence.
        package var rights: String
        /// `none`, `on-behalf` or `as`.
        package var send: String
        /// The folder's path; nil for the whole account.
        package var folder: String?

        package init(
            login: String?,
            via: String? = nil,
            rights: String = "",
            send: String = "none",
            folder: String? = nil
        ) {
            self.login = login
            self.via = via
            self.rights = rights
            self.send = send
            self.folder = folder
        }

        /// Compares octets: Swift's `String` treats different spellings of a folder as equal.
        package static func == (one: Entry, other: Entry) -> Bool {
            one.octets == other.octets
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(self.octets)
        }

        private var octets: [[UInt8]?] {
            [self.login, self.via, self.rights, self.send, self.folder].map {
                $0.map { Array($0.utf8) }
            }
        }
    }

    /// A right that Exchange denies to a user, regardless of grants.
    package struct Denial: Codable, Hashable, Sendable {
        /// The user's login.
        package var login: String
        /// Whether folder rights are denied.
        package var view: Bool
        /// Whether sending is denied.
        package var send: Bool

        package init(login: String, view: Bool, send: Bool) {
            self.login = login
            self.view = view
            self.send = send
        }
    }

    /// A name in Exchange that matches no user of the gateway, or more than one.
    package struct Unresolved: Codable, Hashable, Sendable {
        /// The name.
        package var principal: String
        /// The right in Exchange's terms, for example `FullAccess`.
        package var right: String
        /// Why the name is unresolved, in words.
        package var why: String

        package init(principal: String, right: String, why: String) {
            self.principal = principal
            self.right = right
            self.why = why
        }
    }

    /// The rights.
    package var entries: [Entry]
    /// The denials, which override the rights.
    package var denials: [Denial]
    /// The names without a user.
    package var unresolved: [Unresolved]
    /// Facts for the administrator that need no action.
    package var notes: [String]

    package init(
        entries: [Entry] = [],
        denials: [Denial] = [],
        unresolved: [Unresolved] = [],
        notes: [String] = []
    ) {
        self.entries = entries
        self.denials = denials
        self.unresolved = unresolved
        self.notes = notes
    }
}
