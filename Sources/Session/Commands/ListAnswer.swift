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
/// A reference, so that it grows and shrinks in place; it belongs to one context.
final class ListAnswer {
    /// Octets that are matched, hashed or copied in a piece: about half a millisecond.
    static let octetsPerPiece = 64 * 1_024
    /// What a name costs besides its octets.
    static let octetsOfName = 256

    /// Names of one account that are subscribed.
    struct Subscriptions {
        var account: AccountID
        /// The server's part, where it has the subscriptions.
        var part: ListingPart?
        var folders: [FolderPath]
    }

    private let request: ListRequest
    private let parts: [ListingPart]
    private let writer: ListWriter
    private let patternCost: Int
    let choices: SubscriptionChoices
    /// Names that are subscribed whether or not there are folders, by account.
    let subscriptions: [Subscriptions]
    /// Accounts whose folders are known.
    private let known: Set<AccountID>

    private var views: [Namespace.View]
    private var accesses: [AccountID: AccountAccess] = [:]
    var tree = FolderTree()
    // What is to be inserted next; each is behind the one above.
    var part = 0
    var folder = 0
    var view = 0
    var subscription = 0
    private var hasInsertedInbox = false
    /// The last name that was taken for writing.
    private var last: [UInt8]?
    /// Whether there are more names than any client could use.
    private(set) var isTooLarge = false

    /// - Parameters:
    ///   - parts: each complete, or failed.
    ///   - choices: what the user decided about subscriptions.
    ///   - views: the accounts in sight.
    init(
        _ request: ListRequest,
        parts: [ListingPart],
        choices: SubscriptionChoices,
        views: [Namespace.View]
    ) {
        self.request = request
        self.parts = parts
        self.views = views
        self.writer = ListWriter(request)
        self.patternCost = request.patternCost
        self.choices = choices
        self.known = Set(parts.filter { $0.step == .complete }.map(\.account))
        guard request.list.selectsSubscribed else {
            self.subscriptions = []
            return
        }
        // What a server has that does not answer is not called gone.
        let failed = Set(parts.filter { $0.step == .failed }.map(\.account))
        let onServers = parts.filter { $0.step == .complete }
            .map { part in
                // Of the owner's, others are shown those of folders that are there.
                let names = part.isOwner ? part.subscriptions.names : []
                return Subscriptions(account: part.account, part: part, folders: names)
            }
        let kept = views.map(\.account).filter { !failed.contains($0) }
            .map { Subscriptions(account: $0, folders: choices[$0].subscribed) }
        self.subscriptions = (onServers + kept).filter { !$0.folders.isEmpty }
    }

    /// Does a piece of the work, and sends the lines that it makes.
    /// - Returns: whether everything is written, or nothing can be.
    func advance(in context: inout some CommandContext) -> Bool {
        // A grant that has ended since the last piece gives no further line.
        if self.accesses.values.contains(where: { $0.validUntil.map { $0 <= context.now } ?? false }
        ) {
            self.permissionsChanged(in: &context)
        }
        var octets = Self.octetsPerPiece
        while octets > 0 {
            if self.insertNext(in: &context, &octets) { continue }
            self.isTooLarge = self.tree.isTooLarge
            guard !self.isTooLarge, let entry = self.tree.popFirst() else { return true }
            octets -= Self.octetsOfName + entry.name.count * (1 + self.patternCost)
            // Written before the permissions changed.
            if let last = self.last, !NameOrder.precedes(last, other: entry.name) { continue }
            self.last = entry.name
            for line in self.writer.lines(for: entry, in: self.tree) { context.emit(line) }
        }
        return false
    }

    /// The permissions changed. Where that concerns what is listed, the names are put together anew, and
    /// the lines go on behind the last one.
    func permissionsChanged(in context: inout some CommandContext) {
        let isSame = self.accesses.allSatisfy { context.access(to: $0.key) == $0.value }
        guard !isSame || self.views != context.namespace.views else { return }
        self.accesses = [:]
        self.views = context.namespace.views
        self.tree = FolderTree()
        (self.part, self.folder, self.view, self.subscription) = (0, 0, 0, 0)
        self.hasInsertedInbox = false
    }

    // MARK: - Names

    /// Inserts some of the names that are still to be inserted.
    /// - Returns: false where there are none.
    private func insertNext(in context: inout some CommandContext, _ octets: inout Int) -> Bool {
        guard !self.tree.isTooLarge else { return false }
        if self.part < self.parts.count {
            self.insertFolders(in: &context, &octets)
        } else if !self.hasInsertedInbox {
            self.insertEmptyInbox(in: &context, &octets)
        } else if self.view < self.views.count {
            self.insertRoot(in: &context, &octets)
        } else if self.subscription < self.subscriptions.count {
            self.insertSubscriptions(in: &context, &octets)
        } else {
            return false
        }
        return true
    }

    func access(_ context: inout some CommandContext, account: AccountID) -> AccountAccess {
        let access = context.access(to: account)
        self.accesses[account] = access
        return access
    }

    private func insertFolders(in context: inout some CommandContext, _ octets: inout Int) {
        let part = self.parts[self.part]
        let access = self.access(&context, account: part.account)
        guard access.isOwner || !part.isOwner else {
            // It was listed for an owner, which the user is no more.
            self.part += 1
            return
        }
        let base = context.subscriptionBase(of: part.view)
        let choices = self.choices[part.view.account]
        while octets > 0, part.step == .complete, self.folder < part.folders.count {
            let index = self.folder
            self.folder += 1
            octets -= Self.octetsOfName
            guard let folder = part.folders.path(at: index) else { continue }
            octets -= folder.octets.count
            let rights = access.rights(in: folder)
            guard rights.contains(.lookup), !part.aliases.contains(folder) else { continue }
            let name = context.namespace.name(of: folder, in: part.view)
            if part.view.isPersonal, Namespace.isReserved(name) { continue }
            let attributes = part.folders.attributes(at: index)
            let isSelectable = Self.isSelectable(attributes)
            let entry = FolderTree.Entry(
                name: name,
                attributes: attributes,
                rights: rights,
                isSubscribed: Self.isSubscribed(
                    folder,
                    isSelectable: isSelectable,
                    part: part,
                    base: base,
                    choices: choices
                ),
                isSubscribedAsParent: Self.isParent(
                    folder,
                    part: part,
                    base: base,
                    choices: choices
                ),
                status: rights.contains(.read) ? part.counts[folder] : nil,
                isPersonal: part.view.isPersonal
            )
            self.insert(entry, octets: &octets)
        }
        guard octets > 0 else { return }
        self.part += 1
        self.folder = 0
    }

    /// The INBOX of a user who has none is listed, and subscribed to.
    private func insertEmptyInbox(in context: inout some CommandContext, _ octets: inout Int) {
        self.hasInsertedInbox = true
        guard context.hasEmptyInbox() else { return }
        let items = self.request.list.returnsStatus
        self.insert(
            FolderTree.Entry(
                name: MailboxName.inbox,
                attributes: [],
                rights: EmptyInbox.rights,
                isSubscribed: true,
                status: items.map { EmptyInbox.status($0, mailbox: ByteBuffer()) }
            ),
            octets: &octets
        )
    }

    func insert(_ entry: FolderTree.Entry, octets: inout Int) {
        if self.writer.reportsSubscribedBelow { octets -= entry.name.count * self.patternCost }
        octets -= self.tree.insert(entry, selection: self.writer.selection(of: entry))
    }

    /// Whether there is a mailbox, and not only a name above others.
    private static func isSelectable(_ attributes: [ByteBuffer]) -> Bool {
        !attributes.contains {
            $0.equals(word: "\\Noselect") || $0.equals(word: "\\NonExistent")
        }
    }

    /// The namespaces' and accounts' own names stand above what is shared, also of an account
    /// that does not answer, or that no pattern reaches into. There something counts as subscribed where its
    /// folders are unknown, and are subscribed unless the user decides otherwise.
    private func insertRoot(in context: inout some CommandContext, _ octets: inout Int) {
        let view = self.views[self.view]
        self.view += 1
        octets -= Self.octetsOfName
        guard !view.isPersonal else { return }
        let countsWhole =
            self.writer.reportsSubscribedBelow && !self.request.list.selectsSpecialUse
            && context.subscriptionBase(of: view) == .every && !self.known.contains(view.account)
        let selection: FolderTree.Below = countsWhole ? [.selected, .selectedApart] : []
        self.tree.insertRoot(Array(view.prefix.dropLast()), selection: selection)
    }
}
