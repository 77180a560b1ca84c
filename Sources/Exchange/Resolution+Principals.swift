import Access

/// The users behind a principal.
extension Resolution {
    /// Lists a principal as unresolved.
    mutating func unresolved(
        _ principal: Document.Principal,
        right: String,
        why: String
    ) {
        self.imported.unresolved.append(.init(principal: principal.name, right: right, why: why))
    }

    /// Finds the users behind a principal of a list.
    /// - Parameter isDenied: whether the entry takes rights away. A principal that is ignored in a
    ///   grant, because it may not count, is not ignored in a denial.
    mutating func outcome(
        of listed: Document.Principal,
        purpose: Purpose,
        isDenied: Bool
    ) -> Outcome {
        // A truncated name matches anyone: use only SID, GUID and address.
        let isCut = listed.isCut ?? false
        let telling = isCut ? Principals.withoutName(listed) : listed
        if let known = Principals.known(telling, isFolderEntry: purpose == .folder) {
            return self.outcome(of: known)
        }
        let principal = isCut ? telling : Principals.withoutPrefix(listed)
        switch self.directory.find(principal) {
        case .several:
            return .unresolved("several recipients have this name")
        case .one(let index):
            let named = isCut ? listed : principal
            return self.outcome(of: index, principal: named, purpose: purpose, isDenied: isDenied)
        case .none where isCut:
            return .unresolved(
                "the name may be cut: use ConvertTo-Json or Export-Csv, no Format-Table before it; if "
                    + "the name ends so, use gatepost's script"
            )
        case .none:
            if let known = Principals.builtIn(principal), known == .skipped || !isDenied {
                return self.outcome(of: known)
            }
            // Without a directory, an address identifies a user only as login or as address of an
            // account that the user owns.
            let address = Directory.address(principal.address ?? principal.name)
            guard let address else {
                return .unresolved("no loaded recipient has this name")
            }
            return self.outcome(of: self.logins(of: [address]), why: "not known here")
        }
    }

    /// The outcome for a well-known principal.
    mutating func outcome(of known: Principals.Known) -> Outcome {
        switch known {
        case .skipped: return .nobody
        case .noted(let note):
            self.notes.insert(note)
            return .nobody
        case .everyone: return .everyone
        case .tooMany: return .unresolved("means everyone: name a group or users in Exchange")
        case .unknown(let why): return .unresolved(why)
        }
    }

    /// The outcome for a recipient of the directory.
    mutating func outcome(
        of index: Int,
        principal: Document.Principal,
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
            // The directory knows the recipient, but it is no user of the gateway: nothing to
            // decide.
            if logins.isEmpty {
                self.notes.insert("\(principal.name) is not a user here: gatepost user add")
                return .stranger
            }
            return self.outcome(of: logins, why: "")
        }
        if purpose != .sendOnBehalf, !isDenied, type.contains("distribution") {
            self.notes.insert("\(principal.name) is not a security group: Exchange ignores it here")
            return .nobody
        }
        var logins: Set<String> = []
        var seen: Set<Int> = []
        guard self.expand(index, depth: 0, seen: &seen, logins: &logins) else {
            return .unresolved("a group whose members were not loaded")
        }
        return .people(logins: logins.sorted(), group: recipient.names.first ?? principal.name)
    }

    /// The outcome for the logins that match.
    /// - Parameter why: the reason if there are none.
    func outcome(of logins: [String], why: String) -> Outcome {
        switch logins.count {
        case 0: .unresolved(why)
        case 1: .people(logins: logins, group: nil)
        default: .unresolved("more than one user here: \(logins.joined(separator: ", "))")
        }
    }

    private func logins(of addresses: [String]) -> [String] {
        Set(addresses.flatMap { self.people[$0] ?? [] }).sorted()
    }

    /// Collects the logins of a group's members and of nested groups.
    /// - Returns: false if a member is unknown, or if there are too many.
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
