/// What Exchange says about one account, in the terms of the model: every name in it is a user of
/// the gateway, or is listed as not resolved.
package struct ImportedPermissions: Codable, Equatable, Sendable {
    /// One thing that one user may do.
    package struct Entry: Codable, Hashable, Sendable {
        /// A login; nil for everyone.
        package var login: String?
        /// The group in Exchange through which it reaches the user.
        package var via: String?
        /// Letters of RFC 4314; empty for an entry that gives nothing and so outdoes others.
        package var rights: String
        /// `none`, `on-behalf` or `as`.
        package var send: String
        /// Nil for the whole account.
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

        /// Octet for octet, as folders are compared everywhere.
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

    /// A user who is denied a side, whatever else is granted.
    package struct Denial: Codable, Hashable, Sendable {
        package var login: String
        package var view: Bool
        package var send: Bool

        package init(login: String, view: Bool, send: Bool) {
            self.login = login
            self.view = view
            self.send = send
        }
    }

    /// A name in Exchange that is nobody here, or more than one.
    package struct Unresolved: Codable, Hashable, Sendable {
        package var principal: String
        /// What it was given, in Exchange's words.
        package var right: String
        package var why: String

        package init(principal: String, right: String, why: String) {
            self.principal = principal
            self.right = right
            self.why = why
        }
    }

    package var entries: [Entry]
    package var denials: [Denial]
    package var unresolved: [Unresolved]
    /// What an administrator should know and need not act on.
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
