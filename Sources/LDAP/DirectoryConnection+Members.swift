extension DirectoryConnection {
    /// The most names in one filter. A server evaluates each of them, and a request must stay far
    /// below the limits of servers (OpenLDAP: 256 KiB before a bind, Active Directory: 10 MiB).
    private static let namesPerSearch = 200
    /// The attributes with an entry's own name: RFC 5020, and Active Directory.
    private static let nameAttributes = ["entryDN", "distinguishedName"]

    /// The people in groups, directly or through other groups, in any kind of directory.
    ///
    /// The members are read by their names: 200 with one search if the server can compare names in
    /// a filter, else one by one. Entries of people need no `memberOf`.
    /// - Throws: `tooManyEntries` if there are more than the groups allow, and `failed` if a part
    ///   cannot be read. There is no result that lacks a part of a group.
    package func members(of groups: DirectoryGroups) throws(DirectoryError) -> DirectoryMembership {
        let deadline = self.deadline(seconds: self.limits.membershipSeconds)
        var walk = MembershipWalk(groups)
        let search = DirectorySearch(
            base: groups.base,
            scope: .subtree,
            filter: groups.filter,
            attributes: walk.attributes + Self.nameAttributes,
            maximumEntries: groups.maximumMembers
        )
        let roots = try self.step(search, until: deadline)
        try walk.start(with: roots)
        let lookup = try self.nameLookup(groups, known: roots.first, until: deadline)
        while let names = try walk.next(count: Self.namesPerSearch) {
            let entries = try self.entries(
                named: names,
                attributes: walk.attributes,
                lookup: lookup,
                until: deadline
            )
            try walk.add(entries, for: names)
        }
        var userIDs = walk.allUserIDs[...]
        while !userIDs.isEmpty {
            let batch = Array(userIDs.prefix(Self.namesPerSearch))
            userIDs = userIDs.dropFirst(Self.namesPerSearch)
            let search = DirectorySearch(
                base: groups.memberBase,
                scope: .subtree,
                filter: DirectoryFilter.any(of: batch, attribute: groups.userIDAttribute),
                attributes: walk.attributes + [groups.userIDAttribute],
                maximumEntries: groups.maximumMembers
            )
            try walk.add(try self.step(search, until: deadline), userIDs: batch)
        }
        return walk.membership
    }

    /// How to find many entries by their names with one search.
    private struct NameLookup {
        /// The base of the search, and its normalized name.
        var base: String
        var key: String
        /// The attribute to compare.
        var attribute: String

        /// Whether a name is the base or below it.
        func reaches(_ name: String) -> Bool {
            guard let name = DirectoryName.normalized(name) else { return false }
            return self.key.isEmpty || name == self.key || name.hasSuffix("," + self.key)
        }
    }

    /// The lookup that finds an entry that is known to exist.
    /// - Returns: nil if there is none, and each name needs a search of its own.
    private func nameLookup(
        _ groups: DirectoryGroups,
        known entry: DirectoryEntry?,
        until deadline: Deadline
    ) throws(DirectoryError) -> NameLookup? {
        guard let entry, let key = DirectoryName.normalized(groups.memberBase),
            let attribute = Self.nameAttributes.first(where: { !entry.values(of: $0).isEmpty })
        else { return nil }
        let lookup = NameLookup(base: groups.memberBase, key: key, attribute: attribute)
        guard lookup.reaches(entry.name) else { return nil }
        let found = try self.entries([entry.name], attributes: [], lookup: lookup, until: deadline)
        return found.count == 1 && DirectoryName.areEqual(found[0].name, and: entry.name)
            ? lookup : nil
    }

    /// The entries with names; those that do not exist are left out.
    private func entries(
        named names: [String],
        attributes: [String],
        lookup: NameLookup?,
        until deadline: Deadline
    ) throws(DirectoryError) -> [DirectoryEntry] {
        let together = names.filter { lookup?.reaches($0) == true }
        var entries: [DirectoryEntry] = []
        if let lookup, !together.isEmpty {
            entries = try self.entries(
                together,
                attributes: attributes,
                lookup: lookup,
                until: deadline
            )
        }
        for name in names where lookup?.reaches(name) != true {
            // libldap sends any text, and a server refuses one that is no name.
            guard DirectoryName.normalized(name)?.isEmpty == false else { continue }
            let search = DirectorySearch(
                base: name,
                scope: .base,
                filter: "(objectClass=*)",
                attributes: attributes,
                maximumEntries: 1
            )
            entries += try self.step(search, allowsMissingBase: true, until: deadline)
        }
        return entries
    }

    /// The entries with names that a lookup reaches, by one search.
    private func entries(
        _ names: [String],
        attributes: [String],
        lookup: NameLookup,
        until deadline: Deadline
    ) throws(DirectoryError) -> [DirectoryEntry] {
        let search = DirectorySearch(
            base: lookup.base,
            scope: .subtree,
            filter: DirectoryFilter.any(of: names, attribute: lookup.attribute),
            attributes: attributes,
            maximumEntries: names.count
        )
        return try self.step(search, until: deadline)
    }

    /// A search that is a part of a longer operation.
    /// - Parameter allowsMissingBase: whether a base that does not exist is an empty result.
    private func step(
        _ search: DirectorySearch,
        allowsMissingBase: Bool = false,
        until deadline: Deadline
    ) throws(DirectoryError) -> [DirectoryEntry] {
        let end = deadline.earlier(seconds: self.limits.answerSeconds)
        return try self.search(search, allowsMissingBase: allowsMissingBase, until: end)
    }
}
