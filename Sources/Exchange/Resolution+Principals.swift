import Access

/// The users whom a principal of Exchange means.
extension Resolution {
    mutating func unresolved(
        _ principal: Document.Principal,
        right: String,
        why: String
    ) {
        self.imported.unresolved.append(.init(principal: principal.name, right: right, why: why))
    }

    /// - Parameter isDenied: whether the entry takes instead of giving. What is left out of those
    ///   that give, because it may not count, is not left out of these.
    mutating func outcome(
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

    mutating func outcome(of known: Principals.Known) -> Outcome {
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

    mutating func outcome(
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

    func outcome(of logins: [String], _ why: String) -> Outcome {
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
