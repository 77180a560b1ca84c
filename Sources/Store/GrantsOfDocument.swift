import Access
import Foundation

/// What tells one local grant from another in a document.
private struct GrantKey: Hashable {
    var account: Int64
    var subject: Subject
    var folder: Data?
    var isSubtree: Bool
    var rights: String
    var send: String
    var until: Int64?
    var reason: ExactText?
}

/// What a local grant is for: two of one document for the same would replace each other.
private struct GrantPlace: Hashable {
    enum Side: Hashable {
        case view
        case send
    }

    var account: Int64
    var subject: Subject
    var folder: Data?
    var isSubtree: Bool
    var side: Side
    /// Besides one that counts another one may wait for the owner.
    var isPending: Bool

    /// - Returns: one for each side that the grant gives.
    static func all(_ key: GrantKey, request: GrantRequest, isPending: Bool) -> [GrantPlace] {
        var sides: [Side] = []
        if !request.rights.isEmpty { sides.append(.view) }
        if request.send != .none { sides.append(.send) }
        return sides.map { side in
            GrantPlace(
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

extension StoreTransaction {
    /// Makes the local grants equal to those of a document. One that is there already keeps its
    /// number, who made it and when, and whether it was confirmed.
    func apply(
        grants: [ModelDocument.Grant],
        _ consent: Consent,
        actor: String
    ) throws {
        var wanted: [(key: GrantKey, request: GrantRequest, isPending: Bool)] = []
        var places: [[GrantPlace]] = []
        for grant in grants {
            guard grant.source != Source.exchange.rawValue else {
                places.append([])
                continue
            }
            let request = try Self.request(grant)
            let key = try self.key(of: request)
            places.append(
                GrantPlace.all(key, request: request, isPending: grant.confirmed == false)
            )
            // Decided before anything goes: less than what there is needs nobody's leave.
            let asks = try self.consent(atLeast: consent)
            let isPending =
                try grant.confirmed == false
                || self.waitsForOwner(request, on: key.account, consent: asks)
            wanted.append((key, request, isPending))
        }
        try Self.requireDistinct("grants", keys: places) { index in
            "\(grants[index].subject) on \(grants[index].account), in the same scope"
        }
        // One that counts takes the place of one that waits.
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

    private static func request(_ grant: ModelDocument.Grant) throws -> GrantRequest {
        guard let rights = Rights(letters: grant.rights ?? ""), !rights.contains(.administer) else {
            throw StoreError.refused(
                "rights on \(grant.account): letters of lrswipkxte; `a` belongs to the owner"
            )
        }
        guard ["none", "on-behalf", "as"].contains(grant.send ?? "none") else {
            throw StoreError.refused("send on \(grant.account): none, on-behalf or as")
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
