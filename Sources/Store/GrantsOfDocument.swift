import Access
import Foundation

/// The slot that a local grant takes: two grants of one document with the same slot would
/// replace each other.
private struct GrantSlot: Hashable {
    /// One of the two things that a grant may give.
    enum Side: Hashable {
        /// Rights in folders.
        case view
        /// The right to send.
        case send
    }

    /// The key of the account's row.
    var account: Int64
    /// The user or group.
    var subject: Subject
    /// The octets of the folder's path; nil for the whole account.
    var folder: Data?
    /// Whether folders below ``folder`` are included.
    var isSubtree: Bool
    /// The side that the grant gives here.
    var side: Side
    /// A pending grant and one in effect can coexist in one slot.
    var isPending: Bool

    /// - Returns: One slot for each side that the grant gives.
    static func all(_ key: GrantKey, request: GrantRequest, isPending: Bool) -> [GrantSlot] {
        var sides: [Side] = []
        if !request.rights.isEmpty { sides.append(.view) }
        if request.send != .none { sides.append(.send) }
        return sides.map { side in
            GrantSlot(
                account: key.account,
                subject: key.subject,
                folder: key.folder,
                isSubtree: key.isSubtree,
                side: side,
                isPending: isPending
            )
        }
    }
}

/// The grants of a document.
extension StoreTransaction {
    /// Makes the local grants equal to those of a document. A grant that exists already keeps
    /// its number, author, date and confirmation. Grants with source `exchange` are ignored.
    /// - Throws: ``StoreError`` for two grants with the same slot, unknown names, rights or
    ///   send rights, and as ``insert(_:)``.
    /// - Parameter positions: The positions of these grants in the whole document, if these are
    ///   not all.
    func apply(
        grants: [ModelDocument.Grant],
        positions: [Int]?,
        consent: Consent,
        actor: String
    ) throws {
        var wanted: [(key: GrantKey, request: GrantRequest, isPending: Bool)] = []
        var slots: [[GrantSlot]] = []
        let names = try DocumentNames(self)
        for grant in grants {
            guard grant.source != Source.exchange.rawValue else {
                slots.append([])
                continue
            }
            let request = try Self.request(grant)
            let key = try self.key(of: request, names: names)
            let isPending = grant.confirmed == false
            slots.append(GrantSlot.all(key, request: request, isPending: isPending))
            wanted.append((key, request, isPending))
        }
        try self.checkLocal(wanted.map { ($0.key.account, $0.request.account) })
        try Self.requireDistinct("grants", keys: slots, positions: positions) { index in
            "\(grants[index].subject) on \(grants[index].account), in the same scope"
        }
        let (kept, obsolete) = try self.compare(Set(wanted.map(\.key)))
        wanted.removeAll { kept.contains($0.key) }
        // Decide before any grant is deleted: a grant that only reduces what exists needs no
        // consent.
        let asks = try self.consent(atLeast: consent)
        for index in wanted.indices where !wanted[index].isPending {
            wanted[index].isPending = try self.waitsForOwner(
                wanted[index].request,
                on: wanted[index].key.account,
                consent: asks
            )
        }
        for id in obsolete {
            try self.execute(sql: "DELETE FROM \"grant\" WHERE id = ?", arguments: [id])
        }
        // A grant in effect deletes pending ones in its place, so pending grants are inserted
        // last.
        wanted = wanted.filter { !$0.isPending } + wanted.filter(\.isPending)
        var occupied = Set(kept.map { SubjectOnAccount(account: $0.account, subject: $0.subject) })
        for (key, request, isPending) in wanted {
            let place = SubjectOnAccount(account: key.account, subject: key.subject)
            var grant = NewGrant(
                request,
                account: key.account,
                subject: key.subject,
                told: consent,
                isPending: isPending,
                isAlone: occupied.insert(place).inserted,
                actor: actor
            )
            grant.consent = asks
            try self.insert(grant)
        }
    }

    /// Compares the local grants of the store with those of a document.
    /// - Returns: The grants that are in both, and the keys of the rows that must be deleted.
    private func compare(
        _ wanted: Set<GrantKey>
    ) throws -> (kept: Set<GrantKey>, obsolete: [Int64]) {
        var kept: Set<GrantKey> = []
        var obsolete: [Int64] = []
        try self.forEachLocalGrant { key, id in
            if wanted.contains(key), kept.insert(key).inserted { return }
            obsolete.append(id)
        }
        return (kept, obsolete)
    }

    /// Reads the keys and numbers of the local grants.
    func forEachLocalGrant(_ body: (GrantKey, Int64) -> Void) throws {
        try self.forEach(
            sql: """
                SELECT id, account, user, "group", folder, subtree, rights, send, until, reason
                FROM "grant" WHERE source = 'local' ORDER BY id
                """
        ) { row in
            let user = (row[2] as Int64?).map { Subject.user(UserID($0)) }
            let key = GrantKey(
                account: row[1],
                subject: user ?? .group(GroupID(row[3] ?? 0)),
                folder: row[4],
                isSubtree: row[5],
                rights: row[6],
                send: row[7],
                until: row[8],
                reason: (row[9] as String?).map(ExactText.init)
            )
            body(key, row[0])
        }
    }

    /// The accounts on which the local grants of the store and those of a document differ.
    /// - Parameter primaries: The primary addresses of the document's accounts; nil if it has no
    ///   accounts.
    /// - Parameter known: The grants of the store, if they were read before.
    /// - Returns: The keys of these accounts, and the positions of their grants in the document;
    ///   nil if any account may differ.
    func differentGrants(
        _ document: [ModelDocument.Grant],
        primaries: [String]?,
        known: KnownGrants?
    ) throws -> (accounts: Set<Int64>, positions: [Int])? {
        let primaries = Set((primaries ?? []).map(ExactText.init))
        let names = try DocumentNames(self)
        var accounts: Set<Int64> = []
        // Nil for an account that the store does not have yet.
        var places: [Int64?] = []
        places.reserveCapacity(document.count)
        var wanted = WantedGrants()
        var last: (name: ExactText, account: Int64)?
        for grant in document {
            // The grants of an account are usually beside each other.
            let name = ExactText(grant.account)
            if last?.name != name { last = names.account(primary: name).map { (name, $0) } }
            guard let account = last?.account else {
                // An alias, also one that the document adds, may denote any account.
                guard primaries.contains(name),
                    !names.isAddress(grant.account)
                else { return nil }
                places.append(nil)
                continue
            }
            places.append(account)
            guard grant.source != Source.exchange.rawValue else { continue }
            // What cannot be read is refused later, with its position.
            guard let request = try? Self.request(grant),
                let subject = try? names.subject(request.subject, transaction: self),
                wanted.insert(Self.key(of: request, account: account, subject: subject))
            else {
                accounts.insert(account)
                continue
            }
        }
        if let known, known.revision == (try self.revision()) {
            for key in known.keys where !wanted.remove(key) { accounts.insert(key.account) }
        } else {
            try self.forEachLocalGrant { key, _ in
                if !wanted.remove(key) { accounts.insert(key.account) }
            }
        }
        accounts.formUnion(wanted.accounts)
        let positions = places.indices.filter { places[$0].map(accounts.contains) ?? true }
        return (accounts, positions)
    }

    /// - Parameter accounts: The keys of accounts, with their names in the document.
    /// - Throws: ``StoreError`` for an Exchange account, whose grants only an import may
    ///   change.
    private func checkLocal(_ accounts: [(key: Int64, name: String)]) throws {
        let rules = try self.rules(on: Set(accounts.map(\.key)), about: [])
        for (key, name) in accounts {
            try Self.decide(.grant, account: name) { () throws(EditRefusal) in
                try rules.requireGrants(from: .local, on: AccountID(key))
            }
        }
    }

    /// - Throws: ``StoreError`` for unknown rights or send rights, for the right `a`, which
    ///   only owners have, and for an invalid folder.
    private static func request(_ grant: ModelDocument.Grant) throws -> GrantRequest {
        guard let rights = Rights(letters: grant.rights ?? ""), !rights.contains(.administer) else {
            throw StoreError.refused(
                "rights on \(grant.account): use letters of lrswipkxte; `a` belongs to the owner"
            )
        }
        guard Source(rawValue: grant.source ?? Source.local.rawValue) != nil else {
            throw StoreError.refused("source on \(grant.account) must be local or exchange")
        }
        guard ["none", "on-behalf", "as"].contains(grant.send ?? "none") else {
            throw StoreError.refused("send on \(grant.account) must be none, on-behalf or as")
        }
        var scope = Scope.account
        if case .folder(let name, let isSubtree) = grant.scope {
            let folder = try PermissionStore.folder(name)
            scope = isSubtree ? .subtree(folder) : .folder(folder)
        }
        return GrantRequest(
            account: grant.account,
            subject: grant.subject,
            rights: rights,
            send: SendRight(name: grant.send ?? "none"),
            scope: scope,
            until: grant.until.map(Moment.init(seconds:)),
            reason: grant.reason
        )
    }

    /// - Throws: ``StoreError`` for an unknown account or subject.
    private func key(of request: GrantRequest, names: DocumentNames) throws -> GrantKey {
        Self.key(
            of: request,
            account: try names.account(request.account, transaction: self),
            subject: try names.subject(request.subject, transaction: self)
        )
    }

    private static func key(
        of request: GrantRequest,
        account: Int64,
        subject: Subject
    ) -> GrantKey {
        let (folder, isSubtree) = request.scope.columns
        return GrantKey(
            account: account,
            subject: subject,
            folder: folder,
            isSubtree: isSubtree,
            rights: request.rights.letters,
            send: request.send.name,
            until: request.until?.seconds,
            reason: request.reason.map(ExactText.init)
        )
    }
}
