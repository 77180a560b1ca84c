import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The answer to a LIST or LSUB whose servers have all answered.
///
/// Folders become names, and names become lines, in pieces of bounded work. Between two pieces the event
/// loop is yielded, and the next piece waits until the client takes what was written. So neither the
/// number of folders nor a client that does not read decides how long the loop is held, or how many
/// lines are in memory.
///
/// A reference, so that it grows and shrinks in place; it belongs to one session.
final class ListAnswer {
    /// Octets that are matched, hashed or copied in a piece: about half a millisecond.
    static let octetsPerPiece = 64 * 1_024
    /// What a name costs besides its octets.
    static let octetsOfName = 256

    private let listing: Listing
    private let writer: ListWriter
    private let patternCost: Int
    /// Subscriptions of shared folders, by account.
    private let shared: [AccountID: Set<FolderPath>]
    /// The folders with a subscription in accounts that no pattern reaches into.
    private let elsewhere: [(account: AccountID, folder: FolderPath)]

    private var views: [Namespace.View]
    private var accesses: [AccountID: AccountAccess] = [:]
    private var tree = FolderTree()
    // What is to be inserted next; each is behind the one above.
    private var part = 0
    private var folder = 0
    private var view = 0
    private var subscription = 0
    private var hasInsertedInbox = false
    /// The last name that was taken for writing.
    private var last: [UInt8]?
    /// Whether there are more names than any client could use.
    private(set) var isTooLarge = false

    /// - Parameters:
    ///   - listing: complete.
    ///   - views: the accounts in sight.
    init(_ listing: Listing, views: [Namespace.View]) {
        self.listing = listing
        self.views = views
        self.writer = ListWriter(listing)
        self.patternCost = listing.patternCost
        let shared = Dictionary(grouping: listing.shared ?? [], by: \.account)
        self.shared = shared.mapValues { Set($0.map(\.folder)) }
        let reached = Set(listing.parts.map(\.view.account))
        self.elsewhere = (listing.shared ?? []).filter { !reached.contains($0.account) }
            .map { ($0.account, $0.folder) }
    }

    /// Does a piece of the work, and sends the lines that it makes.
    /// - Returns: whether everything is written, or nothing can be.
    func advance(in session: inout ClientSession) -> Bool {
        // A grant that has ended since the last piece gives no further line.
        if self.accesses.values.contains(where: { $0.validUntil.map { $0 <= session.now } ?? false }
        ) {
            self.permissionsChanged(in: &session)
        }
        var octets = Self.octetsPerPiece
        while octets > 0 {
            if self.insertNext(in: &session, &octets) { continue }
            self.isTooLarge = self.tree.isTooLarge
            guard !self.isTooLarge, let entry = self.tree.popFirst() else { return true }
            octets -= Self.octetsOfName + entry.name.count * (1 + self.patternCost)
            // Written before the permissions changed.
            if let last = self.last, !NameOrder.precedes(last, entry.name) { continue }
            self.last = entry.name
            for line in self.writer.lines(for: entry, in: self.tree) { session.emit(line) }
        }
        return false
    }

    /// The permissions changed. Where that concerns what is listed, the names are put together anew, and
    /// the lines go on behind the last one.
    func permissionsChanged(in session: inout ClientSession) {
        let isSame = self.accesses.allSatisfy { session.access(to: $0.key) == $0.value }
        guard !isSame || self.views != session.namespace.views else { return }
        self.accesses = [:]
        self.views = session.namespace.views
        self.tree = FolderTree()
        (self.part, self.folder, self.view, self.subscription) = (0, 0, 0, 0)
        self.hasInsertedInbox = false
    }

    // MARK: - Names

    /// Inserts some of the names that are still to be inserted.
    /// - Returns: false where there are none.
    private func insertNext(in session: inout ClientSession, _ octets: inout Int) -> Bool {
        guard !self.tree.isTooLarge else { return false }
        if self.part < self.listing.parts.count {
            self.insertFolders(in: &session, &octets)
        } else if !self.hasInsertedInbox {
            self.insertEmptyInbox(in: &session, &octets)
        } else if self.view < self.views.count {
            self.insertRoot(&octets)
        } else if self.subscription < self.elsewhere.count {
            self.insertSubscription(in: &session, &octets)
        } else {
            return false
        }
        return true
    }

    private func access(_ session: inout ClientSession, _ account: AccountID) -> AccountAccess {
        let access = session.access(to: account)
        self.accesses[account] = access
        return access
    }

    private func insertFolders(in session: inout ClientSession, _ octets: inout Int) {
        let part = self.listing.parts[self.part]
        let access = self.access(&session, part.view.account)
        let subscribed = self.shared[part.view.account] ?? []
        while octets > 0, part.step == .complete, self.folder < part.folders.count {
            let folder = part.folders[self.folder]
            self.folder += 1
            octets -= Self.octetsOfName + folder.path.octets.count
            let rights = access.rights(in: folder.path)
            guard rights.contains(.lookup), !(part.list?.isAlias(folder.path) ?? false) else {
                continue
            }
            let name = session.namespace.name(of: folder.path, in: part.view)
            if part.view.isPersonal, Namespace.isReserved(name) { continue }
            let isSubscribed =
                part.subscribed.contains(folder.path) || subscribed.contains(folder.path)
            octets -= self.tree.insert(
                FolderTree.Entry(
                    name: name,
                    attributes: folder.attributes,
                    rights: rights,
                    isSubscribed: isSubscribed,
                    status: rights.contains(.read) ? part.counts[folder.path] : nil,
                    isPersonal: part.view.isPersonal
                )
            )
        }
        guard octets > 0 else { return }
        self.part += 1
        self.folder = 0
    }

    /// The INBOX of a user who has none is listed, and subscribed to.
    private func insertEmptyInbox(in session: inout ClientSession, _ octets: inout Int) {
        self.hasInsertedInbox = true
        guard session.hasEmptyInbox() else { return }
        let items = self.listing.list.returnsStatus
        octets -= self.tree.insert(
            FolderTree.Entry(
                name: MailboxName.inbox,
                attributes: [],
                rights: ClientSession.emptyInboxRights,
                isSubscribed: true,
                status: items.map { ClientSession.emptyInboxStatus($0, ByteBuffer()) }
            )
        )
    }

    /// The namespaces' and accounts' own names stand above what is shared, also of an account
    /// that does not answer, or that no pattern reaches into.
    private func insertRoot(_ octets: inout Int) {
        let view = self.views[self.view]
        self.view += 1
        octets -= Self.octetsOfName
        guard !view.isPersonal else { return }
        self.tree.insertRoot(Array(view.prefix.dropLast()))
    }

    private func insertSubscription(in session: inout ClientSession, _ octets: inout Int) {
        let (account, folder) = self.elsewhere[self.subscription]
        self.subscription += 1
        octets -= Self.octetsOfName + folder.octets.count
        guard let view = session.namespace.view(of: account), !view.isPersonal else { return }
        let rights = self.access(&session, account).rights(in: folder)
        guard rights.contains(.lookup) else { return }
        octets -= self.tree.insert(
            FolderTree.Entry(
                name: session.namespace.name(of: folder, in: view),
                attributes: [],
                rights: rights,
                isSubscribed: true
            )
        )
    }
}
