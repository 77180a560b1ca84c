import Access
import IMAP

/// Folders that are listed without asking their server, or without waiting for it any longer.
///
/// A session that would connect to many shared accounts shows what another session listed a moment ago. A server that does not answer costs a LIST a short time once; then its folders are shown as they
/// were known last, and the client is told.
extension ClientSession {
    /// Asks what is known of the folders of each account that a listing reaches.
    mutating func lookUpFolders(for listing: Listing) {
        let keys = listing.parts.filter { $0.step == .lookingUp }.map { part in
            FolderListKey(
                account: part.view.account,
                isOwner: self.access(to: part.view.account).isOwner
            )
        }
        guard !keys.isEmpty else { return }
        self.actions.append(.lookUpFolders(keys))
    }

    /// What is known was looked up: servers are asked for the rest.
    package mutating func foldersLookedUp(_ known: [FolderListKey: FolderKnowledge]) {
        guard case .listing(let listing) = self.running else { return }
        for part in listing.parts where part.step == .lookingUp {
            let account = part.view.account
            let isOwner = self.access(to: account).isOwner
            let key = FolderListKey(account: account, isOwner: isOwner)
            self.updatePart(of: account) { session, listing, part in
                part.step = .waitingForUpstream
                part.isOwner = isOwner
                part.known = known[key] ?? FolderKnowledge()
                session.useKnownFolders(of: listing, &part)
            }
            self.listingUpstreamReady(account)
        }
        if case .listing(let listing) = self.running, !listing.isComplete {
            self.actions.append(.limitWaiting)
        }
        self.completeListing()
        self.readClient()
    }

    /// Takes what is known where the server need not be asked, or was not there a moment ago.
    private mutating func useKnownFolders(of listing: Listing, _ part: inout Listing.Part) {
        let account = part.view.account
        guard self.upstreams[account]?.state != .ready else { return }
        if part.known.isFailing { return self.giveUp(listing, part: &part) }
        let needsServer =
            part.view.isPersonal || listing.list.returnsStatus != nil
            || listing.needsSubscriptions && self.subscriptionBase(of: part.view).isOnServer
        guard part.known.isCurrent, !needsServer, let known = part.known.folders else { return }
        if part.known.isAging { self.actions.append(.refreshFolders(account)) }
        part.take(known)
    }

    /// Shows an account's folders as they were known last; without that knowledge they are missing.
    mutating func giveUp(_ listing: Listing, part: inout Listing.Part) {
        let isOnServer =
            listing.list.selectsSubscribed && self.subscriptionBase(of: part.view).isOnServer
        guard let known = part.known.folders, !isOnServer || known.subscriptions != nil else {
            part.step = .failed
            return
        }
        part.take(known)
        part.isOutdated = true
    }

    /// Keeps what a server listed, for other sessions and for the time when it does not answer.
    mutating func keepFolders(of part: Listing.Part, _ subscriptions: ServerSubscriptions?) {
        let account = part.view.account
        guard part.isOwner == self.access(to: account).isOwner else { return }
        let key = FolderListKey(account: account, isOwner: part.isOwner)
        let known = KnownFolders(
            part.folders,
            aliases: part.aliases,
            subscriptions: subscriptions
        )
        self.actions.append(.keepFolders(key, known, generation: part.known.generation))
    }

    /// A client has waited long enough for servers that do not answer.
    package mutating func waitingTimePassed() {
        switch self.running {
        case .discoveringCapabilities(let tag, let waiting)
        where !waiting.contains(where: self.isPersonal):
            self.loggedIn(tag)
        case .listing(let listing):
            for part in listing.parts { self.leaveIfStalled(part.view.account) }
            if case .listing(let listing) = self.running, !listing.isComplete {
                self.actions.append(.limitWaiting)
            }
            self.completeListing()
        default:
            break
        }
        self.readClient()
    }

    private func isPersonal(_ account: AccountID) -> Bool {
        self.namespace.personal == account
    }

    /// Waits no longer for an account's server that has told nothing since the last look. One that counts messages
    /// may take its time, and one that holds the selected mailbox cannot be left.
    private mutating func leaveIfStalled(_ account: AccountID) {
        guard self.selected?.account != account, self.passing != account else { return }
        var isStalled = false
        self.updatePart(of: account) { session, listing, part in
            let isPending = part.step == .waitingForUpstream || part.step.isTelling
            let hasProgress = part.octets != part.octetsAtLastLook
            part.octetsAtLastLook = part.octets
            guard isPending, !hasProgress, part.known.folders != nil || !part.view.isPersonal else {
                return
            }
            isStalled = true
            session.giveUp(listing, part: &part)
        }
        guard isStalled else { return }
        self.actions.append(.serverStalled(account))
        // A login under way may go on: what the client asks for next may wait for it.
        if self.upstreams[account]?.state == .ready { self.drop(account) }
    }
}

extension Listing.Part {
    /// Takes folders that are known, in place of the server's answer.
    fileprivate mutating func take(_ known: KnownFolders) {
        self.folders = known.folders
        self.aliases = known.aliases
        self.listing = nil
        self.subscriptions = known.subscriptions ?? ServerSubscriptions()
        self.counts = ShardedDictionary()
        self.segments = []
        self.step = .complete
    }
}

extension Listing.Part.Step {
    /// Whether the server tells names.
    fileprivate var isTelling: Bool { self == .folders || self == .subscriptions }
}
