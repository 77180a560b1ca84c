package import Access

/// A user of the gateway, and the addresses that are known to be the same person's.
package struct Person: Sendable {
    package var login: String
    /// The login and the addresses of the accounts that belong to the user.
    package var addresses: Set<String>

    package init(login: String, addresses: Set<String>) {
        self.login = login
        self.addresses = addresses
    }
}

/// Finds the gateway's users behind the names of Exchange, and says what each of them may do.
///
/// Nothing is guessed: a name that is nobody here, or more than one, is listed and gives nothing.
/// Where such a name may stand for a denial, what groups would give is left out as well.
package struct Resolution {
    private typealias Document = PermissionsDocument

    /// How deep groups may lie in groups, and how many members are looked at.
    private static let maximumDepth = 20
    private static let maximumMembers = 50_000

    private enum Outcome {
        case nobody
        /// Somebody in the organisation who is no user here.
        case stranger
        case everyone
        /// - Parameter group: the group's name; nil for the principal itself.
        case people(logins: [String], group: String?)
        case unresolved(String)
    }

    private enum Purpose {
        case fullAccess
        case sendAs
        case sendOnBehalf
        case folder
    }

    private let directory: Directory
    private let people: [String: [String]]
    private var imported = ImportedPermissions()
    private var notes: Set<String> = []

    private init(_ document: Document, people: [Person]) {
        self.directory = Directory(document.recipients, isWhole: document.hasWholeDirectory)
        var logins: [String: [String]] = [:]
        for person in people {
            for address in person.addresses {
                logins[Directory.folded(address), default: []].append(person.login)
            }
        }
        self.people = logins
    }

    /// What the mailbox's lists say, its owner's own entries with the others: they count when the
    /// account belongs to somebody else one day.
    package static func resolve(
        _ mailbox: PermissionsDocument.Mailbox,
        in document: PermissionsDocument,
        people: [Person]
    ) -> ImportedPermissions {
        var resolution = Resolution(document, people: people)
        resolution.addAccess(mailbox.fullAccess, purpose: .fullAccess)
        resolution.addAccess(mailbox.sendAs, purpose: .sendAs)
        resolution.addDelegates(mailbox.sendOnBehalf)
        resolution.addFolders(mailbox.folders)
        var imported = resolution.imported
        imported.entries = Array(Set(imported.entries)).sorted { "\($0)" < "\($1)" }
        imported.denials = imported.denials.sorted { $0.login < $1.login }
        imported.unresolved = Array(Set(imported.unresolved)).sorted { "\($0)" < "\($1)" }
        imported.notes = document.notes + document.unused(beside: mailbox)
        imported.notes += resolution.notes.sorted()
        return imported
    }

    // MARK: - FullAccess and Send As

    /// The order is that of Windows: what is said of the mailbox itself before what is inherited,
    /// and of each a denial first. What is inherited never gives.
    private mutating func addAccess(_ entries: [Document.AccessEntry], purpose: Purpose) {
        let right = purpose == .fullAccess ? "FullAccess" : "SendAs"
        var denials = Denials()
        var allowed: [String: String?] = [:]
        for entry in entries {
            let principal = entry.principal
            switch self.outcome(of: principal, purpose, isDenied: entry.isDenied) {
            case .nobody, .stranger, .everyone:
                continue
            case .unresolved(let why):
                if entry.isInherited { continue }
                self.unresolved(
                    principal,
                    right: entry.isDenied ? "Deny \(right)" : right,
                    why: why
                )
                if entry.isDenied { denials.hasUnknown = true }
            case .people(let logins, _) where entry.isDenied:
                if entry.isInherited {
                    denials.inherited.formUnion(logins)
                } else {
                    denials.own.formUnion(logins)
                }
            case .people(_, _) where entry.isInherited:
                self.notes.insert("\(principal.name) has \(right) by inheritance only: left out")
            case .people(let logins, let group):
                for login in logins where group == nil || allowed[login] == nil {
                    allowed[login] = .some(group)
                }
            }
        }
        denials.own.formUnion(denials.inherited.subtracting(allowed.keys))
        for (login, group) in allowed where !denials.own.contains(login) {
            // It may be the same person by another name, or a group with that person in it.
            guard !denials.hasUnknown else {
                self.notes.insert(
                    "\(right) of \(login) is left out: a denial names somebody unknown, who may be "
                        + "the same, or a group: end it in Exchange, or make it known"
                )
                continue
            }
            self.imported.entries.append(
                ImportedPermissions.Entry(
                    login: login,
                    via: group,
                    rights: purpose == .fullAccess ? FolderRights.fullAccess.letters : "",
                    send: purpose == .sendAs ? "as" : "none"
                )
            )
        }
        for login in denials.own { self.deny(login, purpose: purpose) }
    }

    /// Who is denied a right.
    private struct Denials {
        /// Logins, by entries of the mailbox itself.
        var own: Set<String> = []
        /// Logins, by what is inherited.
        var inherited: Set<String> = []
        /// Whether somebody is denied of whom nobody can tell who it is.
        var hasUnknown = false
    }

    private mutating func deny(_ login: String, purpose: Purpose) {
        let isView = purpose == .fullAccess
        if let index = self.imported.denials.firstIndex(where: { $0.login == login }) {
            if isView {
                self.imported.denials[index].view = true
            } else {
                self.imported.denials[index].send = true
            }
        } else {
            self.imported.denials.append(.init(login: login, view: isView, send: !isView))
        }
    }

    private mutating func addDelegates(_ delegates: [Document.Principal]) {
        for principal in delegates {
            switch self.outcome(of: principal, .sendOnBehalf, isDenied: false) {
            case .nobody, .stranger, .everyone:
                continue
            case .unresolved(let why):
                self.unresolved(principal, right: "SendOnBehalf", why: why)
            case .people(let logins, let group):
                for login in logins {
                    self.imported.entries.append(
                        ImportedPermissions.Entry(login: login, via: group, send: "on-behalf")
                    )
                }
            }
        }
    }

    // MARK: - Folders

    /// Entries of one folder are read together, whatever the mailbox was called beside them.
    private mutating func addFolders(_ folders: [Document.Folder]) {
        let names = FolderNames(folders)
        self.notes.formUnion(names.notes)
        var entries: [FolderPath: [Document.FolderEntry]] = [:]
        for folder in folders {
            switch names.find(folder) {
            case .path(let path): entries[path, default: []] += folder.entries
            case .ignored: continue
            case .leftOut(let note): self.notes.insert(note)
            }
        }
        for (path, entries) in entries { self.addEntries(entries, path: path) }
    }

    private mutating func addEntries(_ entries: [Document.FolderEntry], path: FolderPath) {
        var own: [ImportedPermissions.Entry] = []
        var fallback: [ImportedPermissions.Entry] = []
        var unknown: [Rights] = []
        for entry in entries {
            let words = entry.rights.joined(separator: ", ")
            guard let rights = FolderRights.rights(named: entry.rights) else {
                self.unresolved(
                    entry.principal,
                    right: words,
                    why: "\(words) is no right that is known"
                )
                unknown.append([])
                continue
            }
            func make(_ login: String?, group: String?) -> ImportedPermissions.Entry {
                ImportedPermissions.Entry(
                    login: login,
                    via: group,
                    rights: rights.letters,
                    folder: path.description
                )
            }
            switch self.outcome(of: entry.principal, .folder, isDenied: rights.isEmpty) {
            case .nobody:
                continue
            case .stranger:
                // Whoever it is may be a user here by a login that is not known to be the same.
                unknown.append(rights)
            case .everyone:
                if !rights.isEmpty { fallback.append(make(nil, group: nil)) }
            case .unresolved(let why):
                self.unresolved(entry.principal, right: "\(words) on \(path)", why: why)
                unknown.append(rights)
            case .people(let logins, let group):
                for login in logins {
                    if group == nil {
                        own.append(make(login, group: nil))
                    } else {
                        fallback.append(make(login, group: group))
                    }
                }
            }
        }
        // Whoever the unknown one is would have less than what groups and everyone have.
        let widest = fallback.reduce(into: Rights()) {
            $0.formUnion(Rights(letters: $1.rights) ?? [])
        }
        if unknown.contains(where: { !$0.isSuperset(of: widest) }) {
            if !fallback.isEmpty {
                self.notes.insert(
                    "\(path): what groups and everyone have is left out, because an entry with "
                        + "fewer rights names somebody unknown"
                )
            }
            fallback = []
        }
        self.imported.entries += own + fallback
    }

    // MARK: - Who it is

    private mutating func unresolved(
        _ principal: Document.Principal,
        right: String,
        why: String
    ) {
        self.imported.unresolved.append(.init(principal: principal.name, right: right, why: why))
    }

    /// - Parameter isDenied: whether the entry takes instead of giving. What is left out of those
    ///   that give, because it may not count, is not left out of these.
    private mutating func outcome(
        of listed: Document.Principal,
        _ purpose: Purpose,
        isDenied: Bool
    ) -> Outcome {
        // A name that was cut may be anybody's: only what else is known of the principal counts.
        let isCut = listed.isCut ?? false
        let telling = isCut ? Principals.withoutName(listed) : listed
        if let known = Principals.known(telling, isFolderEntry: purpose == .folder) {
            return self.outcome(of: known)
        }
        let principal = isCut ? telling : Principals.withoutPrefix(listed)
        switch self.directory.find(principal) {
        case .several:
            return .unresolved("more than one recipient is called so")
        case .one(let index):
            let named = isCut ? listed : principal
            return self.outcome(of: index, named, purpose: purpose, isDenied: isDenied)
        case .none where isCut:
            return .unresolved(
                "the name may be cut: use ConvertTo-Json or Export-Csv, no Format-Table before it; if "
                    + "the name ends so, use gatepost's script"
            )
        case .none:
            if let known = Principals.builtIn(principal), known == .skipped || !isDenied {
                return self.outcome(of: known)
            }
            // Without a directory an address is a person's only if it is a login, or the address
            // of an account that belongs to a user.
            let address = Directory.address(principal.address ?? principal.name)
            guard let address else {
                return .unresolved("not in what was loaded: no recipient is called so")
            }
            return self.outcome(of: self.logins(of: [address]), "not known here")
        }
    }

    private mutating func outcome(of known: Principals.Known) -> Outcome {
        switch known {
        case .skipped: return .nobody
        case .noted(let note):
            self.notes.insert(note)
            return .nobody
        case .everyone: return .everyone
        case .tooMany: return .unresolved("means everybody: name a group or people in Exchange")
        case .unknown(let why): return .unresolved(why)
        }
    }

    private mutating func outcome(
        of index: Int,
        _ principal: Document.Principal,
        purpose: Purpose,
        isDenied: Bool
    ) -> Outcome {
        let recipient = self.directory.recipients[index]
        let type = recipient.type.lowercased()
        guard type.contains("group") || recipient.members != nil else {
            guard recipient.isEnabled || isDenied || type != "usermailbox" else {
                self.notes.insert("\(principal.name) is a disabled account: left out")
                return .nobody
            }
            guard !type.contains("serviceprincipal") else { return .nobody }
            let logins = self.logins(of: recipient.addresses.compactMap(Directory.address))
            // Known in the directory, and no user of the gateway: nothing to decide.
            if logins.isEmpty {
                self.notes.insert("\(principal.name) is no user here: gatepost user add")
                return .stranger
            }
            return self.outcome(of: logins, "")
        }
        if purpose != .sendOnBehalf, !isDenied, type.contains("distribution") {
            self.notes.insert("\(principal.name) is no security group: Exchange ignores it here")
            return .nobody
        }
        var logins: Set<String> = []
        var seen: Set<Int> = []
        guard self.expand(index, depth: 0, seen: &seen, logins: &logins) else {
            return .unresolved("a group whose members are not in what was loaded")
        }
        return .people(logins: logins.sorted(), group: recipient.names.first ?? principal.name)
    }

    private func outcome(of logins: [String], _ why: String) -> Outcome {
        switch logins.count {
        case 0: .unresolved(why)
        case 1: .people(logins: logins, group: nil)
        default: .unresolved("more than one user here: \(logins.joined(separator: ", "))")
        }
    }

    private func logins(of addresses: [String]) -> [String] {
        Set(addresses.flatMap { self.people[$0] ?? [] }).sorted()
    }

    /// - Returns: false when a member is not known, or there are too many.
    private func expand(
        _ index: Int,
        depth: Int,
        seen: inout Set<Int>,
        logins: inout Set<String>
    ) -> Bool {
        guard seen.insert(index).inserted else { return true }
        guard depth < Self.maximumDepth, seen.count < Self.maximumMembers,
            let members = self.directory.recipients[index].members
        else { return false }
        for member in members {
            guard case .one(let inner) = self.directory.member(member) else { return false }
            let recipient = self.directory.recipients[inner]
            if recipient.members != nil || recipient.type.lowercased().contains("group") {
                guard self.expand(inner, depth: depth + 1, seen: &seen, logins: &logins) else {
                    return false
                }
                continue
            }
            guard recipient.isEnabled || recipient.type.lowercased() != "usermailbox" else {
                continue
            }
            let found = self.logins(of: recipient.addresses.compactMap(Directory.address))
            guard found.count <= 1 else { return false }
            if let login = found.first { logins.insert(login) }
        }
        return true
    }
}
