import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Writes the answer to a LIST or LSUB after all servers have answered.
///
/// It works in pieces of bounded size: it inserts folders into a tree of names, then writes a line for each name.
/// Between two pieces the session yields the event loop, and waits until the client has read the lines. So neither
/// the number of folders nor a client that does not read can block the event loop or fill memory.
///
/// A reference type, so that it changes in place. One listing owns it.
final class ListAnswer {
    /// Octets that one piece matches, hashes or copies: about half a millisecond of work. Larger pieces would delay
    /// the other sessions of the event loop.
    static let octetsPerPiece = 64 * 1_024
    /// The cost of a name in addition to its octets, in the same unit.
    static let octetsOfName = 256

    /// The subscribed names of one account.
    struct Subscriptions {
        var account: AccountID
        /// The account's part of the listing, if the subscriptions come from its server.
        var part: ListingPart?
        var folders: [FolderPath]
    }

    private let request: ListRequest
    private let parts: [ListingPart]
    private let writer: ListWriter
    private let patternCost: Int
    let choices: SubscriptionChoices
    /// Subscribed names, with or without a folder, by account.
    let subscriptions: [Subscriptions]
    /// Accounts whose folders were listed.
    private let known: Set<AccountID>

    private var views: [Namespace.View]
    /// The rights that the tree was built with. A change of them rebuilds the tree.
    private var accesses: [AccountID: AccountAccess] = [:]
    var tree = FolderTree()
    // Positions of the next name to insert. All parts come first, then all views, then all subscriptions.
    var part = 0
    var folder = 0
    var view = 0
    var subscription = 0
    private var hasInsertedInbox = false
    /// The last name that was removed from the tree for writing.
    private var last: [UInt8]?
    /// Whether the tree has exceeded its limit; nothing can be written then.
    private(set) var isTooLarge = false

    /// - Parameters:
    ///   - parts: the accounts' parts, each complete or failed.
    ///   - choices: the names that the user subscribed or unsubscribed.
    ///   - views: the accounts that the user can see.
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
        // The folders of a server that did not answer are unknown, so their names are not reported as nonexistent.
        let failed = Set(parts.filter { $0.step == .failed }.map(\.account))
        let onServers = parts.filter { $0.step == .complete }
            .map { part in
                // Other users see an owner's subscription only if its folder exists.
                let names = part.isOwner ? part.subscriptions.names : []
                return Subscriptions(account: part.account, part: part, folders: names)
            }
        let kept = views.map(\.account).filter { !failed.contains($0) }
            .map { Subscriptions(account: $0, folders: choices[$0].subscribed) }
        self.subscriptions = (onServers + kept).filter { !$0.folders.isEmpty }
    }

    /// Does one piece of work and sends the lines of it.
    ///
    /// - Returns: true if all lines are written, or if the answer is too large.
    func advance(in context: inout some CommandContext) -> Bool {
        // A grant that has expired since the last piece permits no further line.
        if self.accesses.values.contains(where: { $0.validUntil.map { $0 <= context.now } ?? false }
        ) {
            self.permissionsChanged(in: &context)
        }
        var octets = Self.octetsPerPiece
        while octets > 0 {
            if self.insertNext(in: &context, octets: &octets) { continue }
            self.isTooLarge = self.tree.isTooLarge
            guard !self.isTooLarge, let entry = self.tree.popFirst() else { return true }
            octets -= Self.octetsOfName + entry.name.count * (1 + self.patternCost)
            // Skip the names that were written before the permissions changed.
            if let last = self.last, !NameOrder.precedes(last, other: entry.name) { continue }
            self.last = entry.name
            for line in self.writer.lines(for: entry, in: self.tree) { context.emit(line) }
        }
        return false
    }

    /// The permissions changed. If the change concerns the listed accounts, the tree is built again, and the lines
    /// continue after the last written name.
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

    /// Inserts the next names into the tree.
    ///
    /// - Returns: false if no names remain.
    private func insertNext(in context: inout some CommandContext, octets: inout Int) -> Bool {
        guard !self.tree.isTooLarge else { return false }
        if self.part < self.parts.count {
            self.insertFolders(in: &context, octets: &octets)
        } else if !self.hasInsertedInbox {
            self.insertEmptyInbox(in: &context, octets: &octets)
        } else if self.view < self.views.count {
            self.insertRoot(in: &context, octets: &octets)
        } else if self.subscription < self.subscriptions.count {
            self.insertSubscriptions(in: &context, octets: &octets)
        } else {
            return false
        }
        return true
    }

    /// The rights on an account. Records them for ``permissionsChanged(in:)``.
    func access(_ context: inout some CommandContext, account: AccountID) -> AccountAccess {
        let access = context.access(to: account)
        self.accesses[account] = access
        return access
    }

    /// Inserts folders of the current part that the user may look up. Skips aliases, and names in the personal
    /// namespace that would collide with the other namespaces.
    private func insertFolders(in context: inout some CommandContext, octets: inout Int) {
        let part = self.parts[self.part]
        let access = self.access(&context, account: part.account)
        guard access.isOwner || !part.isOwner else {
            // The account was listed for its owner, but the user no longer owns it.
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

    /// Inserts the ``EmptyInbox`` of a user who needs it, as a subscribed folder.
    private func insertEmptyInbox(in context: inout some CommandContext, octets: inout Int) {
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

    /// Inserts a name, and subtracts the cost from the remaining work.
    func insert(_ entry: FolderTree.Entry, octets: inout Int) {
        if self.writer.reportsSubscribedBelow { octets -= entry.name.count * self.patternCost }
        octets -= self.tree.insert(entry, selection: self.writer.selection(of: entry))
    }

    /// Whether the attributes are those of a mailbox, not only of a parent of mailboxes.
    private static func isSelectable(_ attributes: [ByteBuffer]) -> Bool {
        !attributes.contains {
            $0.equals(word: "\\Noselect") || $0.equals(word: "\\NonExistent")
        }
    }

    /// Inserts the name of an account and of its namespace as parents of the account's folders. They are inserted even
    /// if the account did not answer, or no pattern reaches into it. If such an account's folders are unknown and
    /// subscribed by default, the names count as parents of subscribed folders.
    private func insertRoot(in context: inout some CommandContext, octets: inout Int) {
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
