import Access
import IMAP

/// Folders that are listed without asking their server, or without waiting for it any longer.
///
/// A session that would connect to many shared accounts shows what another session listed a moment ago. A server that does not answer costs a LIST a short time once; then its folders are shown as they
/// were known last, and the client is told.
extension Listing {
    /// Asks what is known of the folders of each account that a listing reaches.
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

    /// Takes what is known where the server need not be asked, or was not there a moment ago.
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

    /// Shows an account's folders as they were known last; without that knowledge they are missing.
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

    /// Keeps what a server listed, for other sessions and for the time when it does not answer.
    func keepFolders(
        of part: ListingPart,
        _ subscriptions: ServerSubscriptions?,
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

    /// Waits no longer for an account's server that has told nothing since the last look. One that counts messages
    /// may take its time, and one that holds the selected mailbox cannot be left.
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
        // A login under way may go on: what the client asks for next may wait for it.
        if context.upstream(of: account)?.state == .ready { context.drop(account) }
    }
}
