import Access
import NIOCore
import Session
import Store

/// What sessions know of folders from each other.
extension IMAPClientHandler {
    /// Looks up what is known of accounts' folders.
    func lookUpFolders(_ keys: [FolderListKey]) {
        let isMany = self.wouldConnectToMany(keys)
        var known: [FolderListKey: FolderKnowledge] = [:]
        for key in keys {
            guard let target = self.permissions.endpoints[key.account] else { continue }
            var knowledge = self.gateway.upstream.folderLists.knowledge(of: key, target)
            knowledge.isCurrent = knowledge.isCurrent && isMany
            knowledge.isFailing =
                self.gateway.upstream.profiles.isFailing(target) || self.isSilent(key.account)
            known[key] = knowledge
        }
        self.session.foldersLookedUp(known)
    }

    /// Whether a session would connect to many shared accounts to ask for their folders. A few are asked: a folder
    /// that was made at the server a moment ago is listed then.
    private func wouldConnectToMany(_ keys: [FolderListKey]) -> Bool {
        let new = keys.count { !$0.isOwner && self.upstreams[$0.account] == nil }
        return new > self.gateway.configuration.limits.listConnections
    }

    func keepFolders(_ key: FolderListKey, folders: KnownFolders, generation: UInt64) {
        // The server that listed them: the account may have another one by now.
        guard let target = self.upstreams[key.account]?.target else { return }
        self.gateway.upstream.folderLists.keep(folders, as: key, of: target, generation: generation)
        self.gateway.upstream.profiles.succeeded(target)
    }

    func refreshFolders(_ account: AccountID) {
        self.gateway.folderRefresher.refresh(account, on: self.eventLoop)
    }

    /// A client waited for a server that did not answer.
    func serverStalled(_ account: AccountID) {
        if let target = self.upstreams[account]?.target ?? self.permissions.endpoints[account] {
            self.gateway.upstream.profiles.failed(target)
        }
        self.refreshFolders(account)
    }

    /// Calls `waitingTimePassed` when a client has waited long enough for servers that do not answer.
    func limitWaiting() {
        self.waitingLimit?.cancel()
        self.waitingLimit = self.schedule(in: self.gateway.configuration.limits.listTime) {
            $0.waitingTimePassed()
        }
    }

    private func waitingTimePassed() {
        self.waitingLimit = nil
        // While the client takes nothing no server is read, and none counts as one that does not answer.
        guard self.isWritable else { return self.limitWaiting() }
        self.deliver { $0.waitingTimePassed() }
    }
}
