import Access
import NIOCore
import Session
import Store

/// The folder lists that sessions share.
extension IMAPClientHandler {
    /// Looks up cached folder lists and tells the session.
    func lookUpFolders(_ keys: [FolderListKey]) {
        let isMany = self.wouldConnectToMany(keys)
        var known: [FolderListKey: FolderKnowledge] = [:]
        for key in keys {
            guard let target = self.permissions.endpoints[key.account] else { continue }
            var knowledge = self.gateway.upstream.folderLists.knowledge(of: key, account: target)
            knowledge.isCurrent = knowledge.isCurrent && isMany
            knowledge.isFailing =
                self.gateway.upstream.profiles.isFailing(target) || self.isSilent(key.account)
            known[key] = knowledge
        }
        self.session.foldersLookedUp(known)
    }

    /// Whether the session would have to connect to many shared accounts for these lists. Few
    /// accounts are asked each time, so that a new folder is listed at once.
    private func wouldConnectToMany(_ keys: [FolderListKey]) -> Bool {
        let new = keys.count { !$0.isOwner && self.upstreams[$0.account] == nil }
        return new > self.gateway.configuration.limits.listConnections
    }

    /// Caches the folders that a server listed.
    func keepFolders(_ key: FolderListKey, folders: KnownFolders, generation: UInt64) {
        // Use the server of the connection: the account may have another one by now.
        guard let target = self.upstreams[key.account]?.target else { return }
        self.gateway.upstream.folderLists.keep(folders, as: key, of: target, generation: generation)
        self.gateway.upstream.profiles.succeeded(target)
    }

    /// Refreshes a cached list in the background.
    func refreshFolders(_ account: AccountID) {
        self.gateway.folderRefresher.refresh(account, on: self.eventLoop)
    }

    /// A server did not answer while a client waited for it.
    func serverStalled(_ account: AccountID) {
        if let target = self.upstreams[account]?.target ?? self.permissions.endpoints[account] {
            self.gateway.upstream.profiles.failed(target)
        }
        self.refreshFolders(account)
    }

    /// Calls `waitingTimePassed` after `limits.listSeconds`, the time that a client waits for
    /// servers.
    func limitWaiting() {
        self.waitingLimit?.cancel()
        self.waitingLimit = self.schedule(in: self.gateway.configuration.limits.listTime) {
            $0.waitingTimePassed()
        }
    }

    /// Tells the session that its client has waited for `limits.listSeconds`.
    private func waitingTimePassed() {
        self.waitingLimit = nil
        // While the client takes no octets no server is read, so none counts as one that does not answer.
        guard self.isWritable else { return self.limitWaiting() }
        self.deliver { $0.waitingTimePassed() }
    }
}
