import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What the client wants to be told of by itself, of any account in sight (RFC 5465).
struct Watching {
    var request: Notify
    /// Subscriptions of shared folders, once they are read from the store.
    var shared: Set<Subscription>?

    var needsSubscriptions: Bool {
        self.request.groups.contains { $0.filter == .subscribed }
    }
}

/// A NOTIFY on its way.
struct Notifying {
    var tag: ByteBuffer
    /// Accounts whose servers have not answered; nil until it is known which have to.
    var waitingFor: Set<AccountID>?
    var hasFailed = false
}

/// Each account's server watches its own mailboxes and tells of all of them; what it says is
/// checked against the permissions in force when it comes, so that what was asked for opens
/// nothing.
extension ClientSession {
    /// Octets' lines that wait while another response passes; a client that reads nothing for so
    /// long looks at its mailboxes again.
    private static let maximumHeld = 256

    mutating func notify(_ tag: ByteBuffer, _ notify: Notify) {
        let shown = Set(self.capabilities)
        guard notify.needs.allSatisfy(shown.contains) else {
            return self.finish(tag, .cannotOnThisServer)
        }
        guard !notify.groups.contains(where: { $0.events.contains(.unsupported) }) else {
            return self.finish(tag, .badEvent)
        }
        self.watching = notify.groups.isEmpty ? nil : Watching(request: notify)
        self.running = .notifying(Notifying(tag: tag))
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            return self.actions.append(.loadSubscriptions(user))
        }
        self.notifyServers()
    }

    /// The user's subscriptions of shared folders are read, or were changed.
    mutating func watchedSubscriptionsLoaded(_ subscriptions: Set<Subscription>?) {
        guard self.watching?.needsSubscriptions ?? false else { return }
        self.watching?.shared = subscriptions
        if case .notifying = self.running {
            guard subscriptions != nil else { return self.notifyingFailed() }
            return self.notifyServers()
        }
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    private mutating func notifyingFailed() {
        guard case .notifying(let notifying) = self.running else { return }
        self.watching = nil
        self.finish(notifying.tag, .unavailable)
    }

    private mutating func notifyServers() {
        guard case .notifying(var notifying) = self.running else { return }
        var concerned = self.watchedAccounts()
        for (account, upstream) in self.upstreams {
            let wanted = self.wanted(from: account)
            guard !wanted.isEmpty || !upstream.watched.isEmpty else { continue }
            upstream.isNotifyDue = true
            concerned.insert(account)
        }
        notifying.waitingFor = concerned
        self.running = .notifying(notifying)
        for account in concerned.sorted() {
            self.open(account)
            _ = self.bringInStep(account)
        }
        self.completeNotifying()
    }

    /// An account's server is in step with what the client asked for, or cannot be.
    mutating func notified(_ account: AccountID, failed: Bool) {
        guard case .notifying(var notifying) = self.running else { return }
        guard notifying.waitingFor?.remove(account) != nil else { return }
        notifying.hasFailed = notifying.hasFailed || failed
        self.running = .notifying(notifying)
        self.completeNotifying()
    }

    private mutating func completeNotifying() {
        guard case .notifying(let notifying) = self.running,
            notifying.waitingFor?.isEmpty ?? false
        else { return }
        if notifying.hasFailed { self.emit(Reply.untagged(.someUnavailable)) }
        self.finish(notifying.tag, .completed("NOTIFY"))
    }

    // MARK: - Servers

    /// Accounts of which something else than the selected mailbox is watched.
    private mutating func watchedAccounts() -> Set<AccountID> {
        guard self.watching != nil else { return [] }
        return self.namespace.views.reduce(into: []) { accounts, view in
            if self.isWatched(view.account) { accounts.insert(view.account) }
        }
    }

    private mutating func isWatched(_ account: AccountID) -> Bool {
        self.wanted(from: account).contains { !$0.filter.isSelected }
    }

    /// Connects to the servers of accounts that came into sight, and tells each what is watched of
    /// what may be known of now.
    mutating func watchAnew() {
        guard self.watching != nil else { return }
        for account in self.watchedAccounts() where self.upstreams[account] == nil {
            self.open(account)
        }
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    /// Tells a server what the client wants to know, where it does not know that yet.
    /// - Returns: whether it is being told, so that nothing else can be sent now.
    mutating func bringInStep(_ account: AccountID) -> Bool {
        // Between two commands of a transfer nothing else may be sent there.
        if case .transferring(let transferring) = self.running, transferring.involves(account) {
            return false
        }
        guard let upstream = self.upstreams[account], upstream.isIdle,
            !upstream.isInStep(self.watching)
        else { return false }
        let wanted = self.wanted(from: account)
        if self.needsFolders(for: wanted, from: account), self.requestFolders(of: account) {
            return true
        }
        let groups = self.translated(wanted, for: account, upstream.names)
        guard upstream.profile.has("NOTIFY"), upstream.isNotifyDue || groups != upstream.watched
        else {
            self.notified(account, failed: !upstream.profile.has("NOTIFY"))
            return false
        }
        let sendsStatus = self.watching?.request.sendsStatus ?? false
        var encoder = self.encoder(for: account)
        Notify(sendsStatus: sendsStatus, groups: groups).encode(into: &encoder)
        upstream.isNotifyDue = false
        upstream.watched = groups
        upstream.housekeeping = .notify
        upstream.segments = encoder.finish()
        guard !upstream.segments.isEmpty else { return true }
        self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
        return true
    }

    /// A server answered NOTIFY.
    mutating func notifyCompleted(_ account: AccountID, _ condition: Condition) {
        guard condition != .ok else { return self.notified(account, failed: false) }
        self.upstreams[account]?.watched = []
        if case .notifying(let notifying) = self.running {
            self.watching = nil
            return self.finish(notifying.tag, .cannotOnThisServer)
        }
        self.stopWatching()
    }

    /// A watched account's connection ended: what happens there cannot be told any more.
    mutating func watchedUpstreamLost(_ account: AccountID) {
        if case .notifying = self.running { return self.notified(account, failed: true) }
        guard self.isWatched(account) else { return }
        self.stopWatching()
    }

    /// The client is told to look for itself (RFC 5465 §5.8).
    mutating func stopWatching() {
        guard self.watching != nil else { return }
        self.watching = nil
        self.emit(Reply.untagged(.status(.notificationOverflow)))
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    // MARK: - Groups

    /// The part of the request that one account's server can answer, with the client's names.
    private mutating func wanted(from account: AccountID) -> [NotifyGroup] {
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return []
        }
        return watching.request.groups.compactMap { self.group($0, of: watching, for: view) }
    }

    /// Names of what the user may not know of reach no server: what it does for them takes its time.
    private mutating func group(
        _ group: NotifyGroup,
        of watching: Watching,
        for view: Namespace.View
    ) -> NotifyGroup? {
        var group = group
        let keepsSubscriptions = view.isPersonal && self.onlyAccount == nil
        if !keepsSubscriptions { group.events.removeAll { $0 == .subscriptionChange } }
        switch group.filter {
        case .selected, .selectedDelayed:
            return group
        case .inboxes, .personal:
            return view.isPersonal ? group : nil
        case .subscribed:
            if keepsSubscriptions { return group }
            let access = self.access(to: view.account)
            let folders = (watching.shared ?? []).filter {
                $0.account == view.account && access.rights(in: $0.folder).contains(.lookup)
            }
            let names = folders.map { self.namespace.name(of: $0.folder, in: view) }
                .sorted { $0.lexicographicallyPrecedes($1) }
            guard !names.isEmpty else { return nil }
            group.filter = .mailboxes(
                names.map { ClientMailbox(wire: ByteBuffer(bytes: ModifiedUTF7.encode($0))) }
            )
            return group
        case .subtree(let mailboxes):
            if mailboxes.contains(where: { self.holds($0, view) }) {
                group.filter = .personal
                return group
            }
            let access = self.access(to: view.account)
            let inside = mailboxes.filter { mailbox in
                self.place(mailbox, in: view).map(access.isVisible(from:)) ?? false
            }
            group.filter = .subtree(inside)
            return inside.isEmpty ? nil : group
        case .mailboxes(let mailboxes):
            let access = self.access(to: view.account)
            let inside = mailboxes.filter { mailbox in
                self.place(mailbox, in: view).map { access.rights(in: $0).contains(.lookup) }
                    ?? false
            }
            group.filter = .mailboxes(inside)
            return inside.isEmpty ? nil : group
        }
    }

    /// Whether a name stands above a whole account.
    private func holds(_ mailbox: ClientMailbox, _ view: Namespace.View) -> Bool {
        guard let name = mailbox.name else { return false }
        return !view.isPersonal && view.prefix.starts(with: name.octets + [Namespace.delimiter])
    }

    private func place(_ mailbox: ClientMailbox, in view: Namespace.View) -> FolderPath? {
        mailbox.name.flatMap { self.namespace.folder($0, in: view) }
    }

    /// The same groups with the server's own names.
    private mutating func translated(
        _ groups: [NotifyGroup],
        for account: AccountID,
        _ names: UpstreamNames
    ) -> [NotifyGroup] {
        let isOwner = self.access(to: account).isOwner
        let list = self.upstreams[account]?.folders
        func translated(_ mailboxes: [ClientMailbox]) -> [ClientMailbox] {
            mailboxes.compactMap { mailbox in
                guard let name = mailbox.name,
                    case .folder(_, let folder) = self.namespace.place(of: name),
                    isOwner || list?.containsParent(folder) ?? false,
                    let wire = names.name(of: folder)
                else { return nil }
                return ClientMailbox(wire: wire)
            }
        }
        return groups.compactMap { group in
            var group = group
            switch group.filter {
            case .subtree(let mailboxes): group.filter = .subtree(translated(mailboxes))
            case .mailboxes(let mailboxes): group.filter = .mailboxes(translated(mailboxes))
            default: break
            }
            let isEmpty = group.filter == .subtree([]) || group.filter == .mailboxes([])
            return isEmpty ? nil : group
        }
    }

    // MARK: - What servers tell

    /// Counts of a mailbox changed.
    mutating func countsChanged(
        _ status: StatusResponse,
        _ folder: FolderPath,
        _ account: AccountID
    ) {
        guard let mailbox = self.watchedName(of: folder, in: account, needs: [.lookup, .read])
        else { return }
        var status = status
        status.mailbox = mailbox
        let news = FolderNews(folder: folder, needs: [.lookup, .read], line: status.encoded)
        self.tell(news, of: account)
    }

    /// A mailbox came, went, has another name, or another subscription.
    mutating func mailboxChanged(_ list: ListResponse, from account: AccountID) {
        guard let names = self.upstreams[account]?.names else { return }
        if let oldName = list.oldName, let folder = names.folder(named: oldName) {
            let attributes = [ByteBuffer(staticString: "\\NonExistent")]
            self.tellMailbox(folder, in: account, attributes)
        }
        guard let folder = names.folder(named: list.mailbox) else { return }
        let isOwn = self.namespace.personal == account && self.onlyAccount == nil
        let attributes = list.attributes.filter { attribute in
            ListWriter.passing.contains { attribute.equals(word: $0) }
                || isOwn && attribute.equals(word: "\\Subscribed")
        }
        self.tellMailbox(folder, in: account, attributes)
    }

    private mutating func tellMailbox(
        _ folder: FolderPath,
        in account: AccountID,
        _ attributes: [ByteBuffer]
    ) {
        guard let mailbox = self.watchedName(of: folder, in: account, needs: .lookup) else {
            return
        }
        let list = ListResponse(
            attributes: attributes,
            delimiter: Namespace.delimiter,
            mailbox: mailbox
        )
        let line = list.encoded(isLsub: false)
        self.tell(FolderNews(folder: folder, needs: .lookup, line: line), of: account)
    }

    /// The client's name of a folder it watches and may know of.
    private mutating func watchedName(
        of folder: FolderPath,
        in account: AccountID,
        needs rights: Rights
    ) -> ByteBuffer? {
        guard self.watching != nil, let view = self.namespace.view(of: account),
            self.access(to: account).rights(in: folder).contains(rights)
        else { return nil }
        let name = self.namespace.name(of: folder, in: view)
        guard !view.isPersonal || !Namespace.isReserved(name) else { return nil }
        return ByteBuffer(bytes: ModifiedUTF7.encode(name))
    }

    mutating func tell(_ line: ByteBuffer) {
        guard self.held.count < Self.maximumHeld else { return self.stopWatching() }
        self.emit(line)
    }
}
