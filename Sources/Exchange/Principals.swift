/// Well-known principals in Exchange's lists: Exchange itself, its services and administrators.
enum Principals {
    /// The meaning of a well-known principal.
    enum Known: Equatable {
        /// A service: ignored without a note.
        case skipped
        /// Ignored with this note.
        case noted(String)
        /// Exchange's `Default`.
        case everyone
        /// A set of users that no list of names can express, for example Everyone.
        case tooMany
        /// The principal cannot be identified; the text says why.
        case unknown(String)
    }

    /// SIDs of the system and of SELF.
    private static let services: Set<String> = [
        "S-1-5-10", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-2", "S-1-5-9", "S-1-5-7",
    ]
    /// SIDs of Everyone, Authenticated Users and This Organization.
    private static let crowds: Set<String> = ["S-1-1-0", "S-1-5-11", "S-1-5-15"]

    /// Exchange's groups of servers, in lower case.
    private static let serviceGroups: Set<String> = [
        "exchange servers", "exchange trusted subsystem", "managed availability servers",
        "exchange domain servers", "exchange windows permissions", "exchange services",
    ]
    /// Exchange's role groups of administrators, in lower case.
    private static let roleGroups: Set<String> = [
        "organization management", "discovery management", "recipient management",
        "view-only organization management", "public folder management", "server management",
        "hygiene management", "help desk", "records management", "compliance management",
        "security administrator", "security reader", "delegated setup", "um management",
    ]

    /// The meaning of a principal by SID or reserved name; nil for other principals.
    /// - Parameter isFolderEntry: whether it is in a folder's list, where `Default` and `Anonymous`
    ///   are reserved.
    static func known(
        _ principal: PermissionsDocument.Principal,
        isFolderEntry: Bool
    ) -> Known? {
        if isFolderEntry, let known = self.folderPrincipal(principal) { return known }
        let sid = (principal.sid ?? principal.name).uppercased()
        if self.services.contains(sid) { return .skipped }
        if self.crowds.contains(sid) { return .tooMany }
        let name = principal.name.lowercased()
        if name.hasPrefix("nt authority\\") {
            return name.hasSuffix("authenticated users") ? .tooMany : .skipped
        }
        return name == "everyone" ? .tooMany : nil
    }

    /// The meaning of one of Exchange's own groups. Use it only for a name that the directory
    /// lacks: an organization may have a group with the same name.
    static func builtIn(_ principal: PermissionsDocument.Principal) -> Known? {
        let name = principal.name.lowercased()
        let last = name.split(separator: "\\").last.map(String.init) ?? name
        if self.serviceGroups.contains(last) { return .skipped }
        if self.roleGroups.contains(last) {
            return .noted("\(principal.name) is a role group of Exchange: left out")
        }
        return nil
    }

    /// The meaning of a reserved principal in a folder's list.
    private static func folderPrincipal(_ principal: PermissionsDocument.Principal) -> Known? {
        let name = principal.name.lowercased()
        switch principal.kind?.lowercased() {
        case "default": return .everyone
        case "anonymous": return .skipped
        case nil where name == "default": return .everyone
        case nil where name == "anonymous": return .skipped
        case "external":
            return .noted("\(principal.name) is outside the organisation: left out")
        case "unknown":
            return .unknown("Exchange no longer knows this user")
        default: break
        }
        if name == "owner@local" || name == "member@local" {
            return .noted("\(principal.name) belongs to a group mailbox: left out")
        }
        if name.hasPrefix("exchangepublisheduser.") || name.contains("#ext#@") {
            return .noted("\(principal.name) is outside the organisation: left out")
        }
        return nil
    }

    /// The principal without its name.
    static func withoutName(
        _ principal: PermissionsDocument.Principal
    ) -> PermissionsDocument.Principal {
        var nameless = principal
        nameless.name = ""
        return nameless
    }

    /// The principal without `NT:` or `NT User:`, which precede a deleted user in folder lists.
    static func withoutPrefix(
        _ principal: PermissionsDocument.Principal
    ) -> PermissionsDocument.Principal {
        for prefix in ["nt user:", "nt:"] where principal.name.lowercased().hasPrefix(prefix) {
            var bare = principal
            bare.name = String(principal.name.dropFirst(prefix.count))
            return bare
        }
        return principal
    }
}
