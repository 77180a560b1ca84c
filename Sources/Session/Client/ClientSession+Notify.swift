import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Each account's server watches its own mailboxes and tells of all of them; what it says is
/// checked against the permissions in force when it comes, so that what was asked for opens
/// nothing.
extension ClientSession {
    /// Octets' lines that wait while another response passes; a client that reads nothing for so
    /// long looks at its mailboxes again.
    private static let maximumHeld = 256

    mutating func notify(_ tag: ByteBuffer, notify: Notify) {
        let shown = Set(self.capabilities)
        if let lacking = notify.needs.first(where: { !shown.contains($0) }) {
            return self.finish(tag, text: .lacking(lacking))
        }
        guard !notify.groups.contains(where: { $0.events.contains(.unsupported) }) else {
            return self.finish(tag, text: .badEvent)
        }
        self.hasUsedNotify = true
        self.watching = notify.groups.isEmpty ? nil : Watching(notify, in: self.namespace)
        self.running = .notifying(Notifying(tag: tag))
        // What is asked behind it, and may concern as many accounts, is the next turn's.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            return self.actions.append(.loadSubscriptions(user))
        }
        self.notifyServers()
    }

    /// The user's decisions about subscriptions are read, or were changed.
    mutating func watchedSubscriptionsLoaded(_ choices: SubscriptionChoices?) {
        guard self.watching?.needsSubscriptions ?? false else { return }
        let watched = choices.map(self.watched) ?? SubscriptionChoices()
        let hasRoom = self.watching?.setChoices(watched) ?? false
        if case .notifying = self.running {
            guard hasRoom else { return self.notifyingFailed(.tooManyWatched) }
            guard choices != nil else { return self.notifyingFailed(.unavailable) }
            return self.notifyServers()
        }
        guard hasRoom else { return self.stopWatching() }
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    private mutating func notifyingFailed(_ answer: ReplyText) {
        guard case .notifying(let notifying) = self.running else { return }
        self.watching = nil
        self.finish(notifying.tag, text: answer)
    }

    private mutating func notifyServers() {
        guard case .notifying(var notifying) = self.running else { return }
        var concerned = self.watchedAccounts()
        for (account, upstream) in self.upstreams
        where self.isWanted(account) || !upstream.watched.isEmpty || self.lacksNotify(account) {
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
        self.finish(notifying.tag, text: .completed("NOTIFY"))
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
        self.isWanted(account) { !$0.isSelected }
    }

    /// Whether one of the groups, of those with such a filter, means something in an account.
    private mutating func isWanted(
        _ account: AccountID,
        isOfKind: (NotifyGroup.Filter) -> Bool = { _ in true }
    ) -> Bool {
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return false
        }
        return watching.request.groups.indices.contains { number in
            isOfKind(watching.request.groups[number].filter)
                && self.reach(of: number, watching, in: view) != nil
        }
    }

    /// Connects to the servers of accounts that came into sight, and tells each what is watched of
    /// what may be known of now.
    mutating func watchAnew() {
        guard self.watching != nil else { return }
        let namespace = self.namespace
        self.watching?.resolve(in: namespace)
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
            upstream.isNotifyDue
                || !upstream.isInStep(self.watching) && upstream.watchVersion != self.watchVersion
        else { return false }
        guard self.watching == nil || !self.enable(in: account, for: nil) else { return true }
        if self.needsFolders(of: account), self.requestFolders(of: account) { return true }
        let groups = self.groups(for: account, upstream.names)
        // Without its list nothing of the account can be watched.
        let isUnlisted =
            upstream.folders == nil && self.isWatched(account)
            && (!self.access(to: account).isOwner || !upstream.profile.has("NOTIFY"))
        if isUnlisted, case .notifying(var notifying) = self.running {
            notifying.hasFailed = true
            self.running = .notifying(notifying)
        }
        guard upstream.profile.has("NOTIFY") else { return self.watchByPolling(account) }
        guard upstream.isNotifyDue || groups != upstream.watched else {
            upstream.watchVersion = self.watchVersion
            self.notified(account, failed: false)
            return false
        }
        let sendsStatus = self.watching?.request.sendsStatus ?? false
        var encoder = self.encoder(for: account)
        Notify(sendsStatus: sendsStatus, groups: groups).encode(into: &encoder)
        upstream.isNotifyDue = false
        upstream.watched = groups
        upstream.isNotifyGiven = true
        upstream.watchVersion = self.watchVersion
        upstream.housekeeping = .notify
        upstream.segments = encoder.finish()
        guard !upstream.segments.isEmpty else { return true }
        self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
        return true
    }

    /// A server answered NOTIFY.
    mutating func notifyCompleted(_ account: AccountID, condition: Condition) {
        guard condition != .ok else { return self.notified(account, failed: false) }
        self.upstreams[account]?.watched = []
        if case .notifying(let notifying) = self.running {
            self.watching = nil
            return self.finish(notifying.tag, text: .cannotOnThisServer)
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
        if case .notifying(let notifying) = self.running {
            self.finish(notifying.tag, text: .completed("NOTIFY"))
        }
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    // MARK: - Groups

    /// What a group means in one account.
    enum Reach {
        case filter(NotifyGroup.Filter)
        case subtree([FolderPath])
        case mailboxes([FolderPath])
        /// What the server says is subscribed, and these.
        case owners(and: [FolderPath])
    }

    /// The part of the request that one account's server can answer, with the server's names.
    private mutating func groups(for account: AccountID, _ names: UpstreamNames) -> [NotifyGroup] {
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return []
        }
        let keepsSubscriptions = view.isPersonal && self.onlyAccount == nil
        let isOwner = self.access(to: account).isOwner
        let list = self.upstreams[account]?.folders
        func translated(_ folders: [FolderPath]) -> [ClientMailbox] {
            folders.filter { folder in
                isOwner && !UpstreamNames.isEscaped(folder) || list?.containsParent(folder) ?? false
            }
            .compactMap { names.name(of: $0) }.map(ClientMailbox.init(wire:))
        }
        return watching.request.groups.enumerated().flatMap { number, requested -> [NotifyGroup] in
            var group = requested
            if !keepsSubscriptions { group.events.removeAll { $0 == .subscriptionChange } }
            // News of names comes as LIST responses. For others than the owner a folder exists only if
            // the answer to LIST names it: nothing that looks like that answer may be asked for.
            if !isOwner { group.events.removeAll { $0 == .mailboxName } }
            group.attributes.removeAll { item in
                item.needs.map { !self.has($0, in: account) } ?? false
            }
            guard !group.events.isEmpty || requested.events.isEmpty else { return [] }
            var filters: [NotifyGroup.Filter] = []
            switch self.reach(of: number, watching, in: view) {
            case .filter(let filter): filters = [filter]
            case .subtree(let folders): filters = [.subtree(translated(folders))]
            case .mailboxes(let folders): filters = [.mailboxes(translated(folders))]
            case .owners(let more): filters = [.subscribed, .mailboxes(translated(more))]
            case nil: break
            }
            return filters.filter { $0 != .subtree([]) && $0 != .mailboxes([]) }.map { filter in
                group.filter = filter
                return group
            }
        }
    }

    /// Whether the server has to list its folders before it is asked to watch some of them.
    private mutating func needsFolders(of account: AccountID) -> Bool {
        // Without NOTIFY, the owner's server does not work out by itself what lies in a subtree.
        let isOwner = self.access(to: account).isOwner
        guard !isOwner || !self.has("NOTIFY", in: account), self.isWatched(account) else {
            return false
        }
        guard let list = self.upstreams[account]?.folders else { return true }
        // Names that stay missing are looked for once.
        guard case .notifying = self.running,
            self.mayRefresh(list, of: account),
            let watching = self.watching, let view = self.namespace.view(of: account)
        else { return false }
        return watching.request.groups.indices.contains { number in
            switch self.reach(of: number, watching, in: view) {
            case .subtree(let folders), .mailboxes(let folders), .owners(let folders):
                !folders.allSatisfy(list.containsParent)
            case .filter, nil:
                false
            }
        }
    }

    /// Never send a hidden mailbox name to a server: the time it takes would reveal that the mailbox
    /// exists.
    /// - Parameter number: of the group.
    /// - Returns: nil where it means nothing that the user may know of.
    mutating func reach(
        of number: Int,
        _ watching: Watching,
        in view: Namespace.View
    ) -> Reach? {
        let filter = watching.request.groups[number].filter
        switch filter {
        case .selected, .selectedDelayed:
            return .filter(filter)
        case .inboxes, .personal:
            return view.isPersonal ? .filter(filter) : nil
        case .subscribed:
            return self.reachSubscribed(watching.subscribed(in: view.account), in: view)
        case .subtree:
            if watching.isWhole(view, in: number) { return .filter(.personal) }
            let folders = watching.folders(named: number, in: view.account)
            guard !folders.isEmpty else { return nil }
            let inside = folders.filter(self.access(to: view.account).isVisible(from:))
            return inside.isEmpty ? nil : .subtree(inside)
        case .mailboxes:
            return self.listed(watching.folders(named: number, in: view.account), in: view)
        }
    }

    /// What a group of all subscribed folders means in an account; news of folders that the user unsubscribed from
    /// is dropped when it comes.
    private mutating func reachSubscribed(
        _ subscribed: [FolderPath],
        in view: Namespace.View
    ) -> Reach? {
        switch self.subscriptionBase(of: view) {
        case .own: .filter(.subscribed)
        case .owner: .owners(and: self.visible(subscribed, in: view))
        case .every: .filter(.personal)
        case .none: self.listed(subscribed, in: view)
        }
    }

    /// Those of some folders that are listed for the user.
    private mutating func listed(_ folders: [FolderPath], in view: Namespace.View) -> Reach? {
        let listed = self.visible(folders, in: view)
        return listed.isEmpty ? nil : .mailboxes(listed)
    }

    private mutating func visible(_ folders: [FolderPath], in view: Namespace.View) -> [FolderPath]
    {
        guard !folders.isEmpty else { return [] }
        let access = self.access(to: view.account)
        return folders.filter { access.rights(in: $0).contains(.lookup) }
    }

    // MARK: - What servers tell

    /// Counts of a mailbox changed.
    mutating func countsChanged(
        _ status: StatusResponse,
        folder: FolderPath,
        account: AccountID
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
            self.tellMailbox(folder, in: account, attributes: attributes)
        }
        guard let folder = names.folder(named: list.mailbox) else { return }
        let isOwn = self.namespace.personal == account && self.onlyAccount == nil
        let isPersonal = self.namespace.view(of: account)?.isPersonal ?? false
        let attributes = list.attributes.filter { attribute in
            ListWriter.passes(attribute, isPersonal: isPersonal)
                || isOwn && attribute.equals(word: "\\Subscribed")
        }
        self.tellMailbox(folder, in: account, attributes: attributes)
    }

    private mutating func tellMailbox(
        _ folder: FolderPath,
        in account: AccountID,
        attributes: [ByteBuffer]
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
        guard let watching = self.watching, let view = self.namespace.view(of: account),
            self.access(to: account).rights(in: folder).contains(rights),
            !watching.isUnsubscribed(folder, in: view)
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
