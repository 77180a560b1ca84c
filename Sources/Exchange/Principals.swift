/// What stands in Exchange's lists beside people: itself, its services, its administrators.
enum Principals {
    enum Known: Equatable {
        /// Nothing to tell.
        case skipped
        case noted(String)
        /// Exchange's `Default`.
        case everyone
        /// Means more people than a list of names can say.
        case tooMany
        /// Nobody can say who it is; why.
        case unknown(String)
    }

    private static let services: Set<String> = [
        "S-1-5-10", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-2", "S-1-5-9", "S-1-5-7",
    ]
    private static let crowds: Set<String> = ["S-1-1-0", "S-1-5-11", "S-1-5-15"]

    private static let serviceGroups: Set<String> = [
        "exchange servers", "exchange trusted subsystem", "managed availability servers",
        "exchange domain servers", "exchange windows permissions", "exchange services",
    ]
    private static let roleGroups: Set<String> = [
        "organization management", "discovery management", "recipient management",
        "view-only organization management", "public folder management", "server management",
        "hygiene management", "help desk", "records management", "compliance management",
        "security administrator", "security reader", "delegated setup", "um management",
    ]

    /// - Parameter isFolderEntry: whether it stands in a folder's list, where `Default` and
    ///   `Anonymous` mean what they say.
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

    /// Exchange's own groups, by name, for one that the directory does not have: an organisation
    /// may have a group of people that is called the same.
    static func builtIn(_ principal: PermissionsDocument.Principal) -> Known? {
        let name = principal.name.lowercased()
        let last = name.split(separator: "\\").last.map(String.init) ?? name
        if self.serviceGroups.contains(last) { return .skipped }
        if self.roleGroups.contains(last) {
            return .noted("\(principal.name) is a role group of Exchange: left out")
        }
        return nil
    }

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
            return .unknown("Exchange itself does not know any more who this is")
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

    /// What else is known of a principal than what it is called.
    static func withoutName(
        _ principal: PermissionsDocument.Principal
    ) -> PermissionsDocument.Principal {
        var nameless = principal
        nameless.name = ""
        return nameless
    }

    /// `NT:S-1-5-21-…` and `NT User:DOMAIN\name`, as orphans are written.
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
