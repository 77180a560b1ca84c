import Access
import Foundation

/// The identity of a local grant in a document: two grants with the same key are the same
/// grant.
private struct GrantKey: Hashable {
    /// The key of the account's row.
    var account: Int64
    /// The user or group.
    var subject: Subject
    /// The octets of the folder's path; nil for the whole account.
    var folder: Data?
    /// Whether folders below ``folder`` are included.
    var isSubtree: Bool
    /// The letters of the rights, in the order in which `Rights` writes them.
    var rights: String
    /// `none`, `on-behalf` or `as`.
    var send: String
    /// Seconds since 1970; nil for a grant without an end.
    var until: Int64?
    /// Compared octet for octet.
    var reason: ExactText?
}

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
    func apply(
        grants: [ModelDocument.Grant],
        consent: Consent,
        actor: String
    ) throws {
        var wanted: [(key: GrantKey, request: GrantRequest, isPending: Bool)] = []
        var slots: [[GrantSlot]] = []
        for grant in grants {
            guard grant.source != Source.exchange.rawValue else {
                slots.append([])
                continue
            }
            let request = try Self.request(grant)
            let key = try self.key(of: request)
            slots.append(
                GrantSlot.all(key, request: request, isPending: grant.confirmed == false)
            )
            // Decide before any grant is deleted: a grant that only reduces what exists needs
            // no consent.
            let asks = try self.consent(atLeast: consent)
            let isPending =
                try grant.confirmed == false
                || self.waitsForOwner(request, on: key.account, consent: asks)
            wanted.append((key, request, isPending))
        }
        try Self.requireDistinct("grants", keys: slots) { index in
            "\(grants[index].subject) on \(grants[index].account), in the same scope"
        }
        // A grant in effect deletes pending ones in its slot, so pending grants are inserted
        // last.
        wanted = wanted.filter { !$0.isPending } + wanted.filter(\.isPending)
        var known = Set(wanted.map(\.key))
        for grant in try self.grants() where grant.row.source == Source.local.rawValue {
            let key = GrantKey(
                account: grant.account,
                subject: grant.subject,
                folder: grant.row.folder.map { Data($0.utf8) },
                isSubtree: grant.row.subtree,
                rights: grant.row.rights,
                send: grant.row.send,
                until: grant.row.until,
                reason: grant.row.reason.map(ExactText.init)
            )
            if known.remove(key) != nil {
                wanted.removeAll { $0.key == key }
            } else {
                try self.execute(
                    sql: "DELETE FROM \"grant\" WHERE id = ?",
                    arguments: [grant.row.id]
                )
            }
        }
        for (key, request, isPending) in wanted {
            let grant = NewGrant(
                request,
                account: key.account,
                told: consent,
                isPending: isPending,
                actor: actor
            )
            try self.insert(grant)
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

    /// - Throws: ``StoreError`` for an unknown account or subject, and for an Exchange account.
    private func key(of request: GrantRequest) throws -> GrantKey {
        let account = try self.accountID(text: request.account)
        try self.checkLocal(account, name: request.account)
        let (folder, isSubtree) = request.scope.columns
        return GrantKey(
            account: account,
            subject: try self.subject(text: request.subject),
            folder: folder,
            isSubtree: isSubtree,
            rights: request.rights.letters,
            send: request.send.name,
            until: request.until?.seconds,
            reason: request.reason.map(ExactText.init)
        )
    }
}
