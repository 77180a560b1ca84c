import Access
import IMAP

/// Cached folder lists, used instead of a server or after a wait for it.
///
/// A session with many shared accounts uses the lists that other sessions received recently, instead of connecting to
/// each server. If a server does not answer, one LIST waits for it for a short time. After that its last known folders
/// are listed, and the client is told so.
extension Listing {
    /// Requests the cached folders of each account that the listing reaches.
    func lookUpFolders(in context: inout some CommandContext) {
        let keys = self.parts.filter { $0.step == .lookingUp }.map { part in
            FolderListKey(
                account: part.account,
                isOwner: context.access(to: part.account).isOwner
            )
        }
        guard !keys.isEmpty else { return }
        context.perform(.lookUpFolders(keys))
    }

    /// Takes the cached folders of an account; asks the server if they do not suffice.
    func lookedUp(
        _ known: [FolderListKey: FolderKnowledge],
        part: ListingPart,
        in context: inout some CommandContext
    ) {
        part.step = .waitingForUpstream
        part.isOwner = context.access(to: part.account).isOwner
        let key = FolderListKey(account: part.account, isOwner: part.isOwner)
        part.known = known[key] ?? FolderKnowledge()
        self.useKnownFolders(part, in: &context)
        self.ask(part.account, in: &context)
    }

    /// Uses the cached folders if the server failed a moment ago, or if they are current and suffice. They do not
    /// suffice for the personal account, for STATUS, or for subscriptions that only the server knows. A ready
    /// connection is always used instead.
    private func useKnownFolders(_ part: ListingPart, in context: inout some CommandContext) {
        guard context.upstream(of: part.account)?.state != .ready else { return }
        if part.known.isFailing { return self.giveUp(part, in: &context) }
        let needsServer =
            part.view.isPersonal || self.request.list.returnsStatus != nil
            || self.request.needsSubscriptions
                && context.subscriptionBase(of: part.view).isOnServer
        guard part.known.isCurrent, !needsServer, let known = part.known.folders else { return }
        if part.known.isAging { context.perform(.refreshFolders(part.account)) }
        part.take(known)
    }

    /// Uses an account's last known folders although they may be outdated. Without them the part fails.
    func giveUp(_ part: ListingPart, in context: inout some CommandContext) {
        let isOnServer =
            self.request.list.selectsSubscribed
            && context.subscriptionBase(of: part.view).isOnServer
        guard let known = part.known.folders, !isOnServer || known.subscriptions != nil else {
            part.step = .failed
            return
        }
        part.take(known)
        part.isOutdated = true
    }

    /// Caches the listed folders, for other sessions and for times when the server does not answer. Skipped if the user
    /// became or ceased to be the owner during the listing, because owners see other names.
    func keepFolders(
        of part: ListingPart,
        subscriptions: ServerSubscriptions?,
        in context: inout some CommandContext
    ) {
        guard part.isOwner == context.access(to: part.account).isOwner else { return }
        let key = FolderListKey(account: part.account, isOwner: part.isOwner)
        let known = KnownFolders(
            part.folders,
            aliases: part.aliases,
            subscriptions: subscriptions
        )
        context.perform(.keepFolders(key, known, generation: part.known.generation))
    }

    /// Stops waiting for an account's server that has sent nothing since the last check. A server that executes STATUS
    /// may take longer, and the server of the selected mailbox cannot be left.
    func leaveIfStalled(_ part: ListingPart, in context: inout some CommandContext) {
        let account = part.account
        guard context.selected?.account != account, context.passing != account else { return }
        let isPending = part.step == .waitingForUpstream || part.step.isTelling
        let hasProgress = part.octets != part.octetsAtLastLook
        part.octetsAtLastLook = part.octets
        guard isPending, !hasProgress, part.known.folders != nil || !part.view.isPersonal else {
            return
        }
        self.giveUp(part, in: &context)
        context.perform(.serverStalled(account))
        // A login in progress continues, because the client's next command may need the connection.
        if context.upstream(of: account)?.state == .ready { context.drop(account) }
    }
}
