import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Whether a folder that a command names exists: for everybody but the owner of the account, only what
/// the server lists exists (``FolderList``).
extension ClientSession {
    /// The result of a look-up.
    enum Located {
        /// The folder's name on its server, in wire octets.
        case name(ByteBuffer)
        case missing
        /// The command is answered, or waits and is dispatched anew: its caller returns.
        case answeredOrDeferred
    }

    /// Gets an account's server ready and finds the name that a folder has there.
    mutating func locate(
        _ folder: FolderPath,
        as existence: FolderExistence = .listed,
        in account: AccountID,
        for tagged: TaggedCommand
    ) -> Located {
        guard self.prepare(account, for: tagged) else { return .answeredOrDeferred }
        switch self.exists(folder, as: existence, in: account) {
        case .some(true):
            return self.upstreams[account]?.names.name(of: folder).map(Located.name) ?? .missing
        case .some(false):
            return .missing
        case .none:
            guard self.requestFolders(of: account) else {
                self.finish(tagged.tag, text: .unavailable)
                return .answeredOrDeferred
            }
            self.running = .preparing(tagged, account)
            return .answeredOrDeferred
        }
    }

    /// Whether a folder exists that a command names which no server carries out. An owner's server is not
    /// asked.
    /// - Returns: false where the command is answered, or waits.
    mutating func isThere(
        _ folder: FolderPath,
        in account: AccountID,
        for tagged: TaggedCommand
    ) -> Bool {
        if self.access(to: account).isOwner, !UpstreamNames.isEscaped(folder) { return true }
        switch self.locate(folder, in: account, for: tagged) {
        case .name:
            return true
        case .missing:
            self.finish(tagged.tag, text: .noSuchMailbox)
            return false
        case .answeredOrDeferred:
            return false
        }
    }

    /// Whether a folder exists for this user; nil where the server has to be asked first. What the owner
    /// names need not be listed, unless its name is written in escapes.
    mutating func exists(
        _ folder: FolderPath,
        as existence: FolderExistence = .listed,
        in account: AccountID
    ) -> Bool? {
        if self.access(to: account).isOwner, !UpstreamNames.isEscaped(folder) { return true }
        guard let list = self.upstreams[account]?.folders else { return nil }
        let isThere =
            switch existence {
            case .listed: list.contains(folder)
            case .parent: list.containsParent(folder)
            }
        guard !isThere, self.mayRefresh(list, of: account) else { return isThere }
        return nil
    }

    /// Whether a folder that a list lacks may be there by now, and the server may be asked again.
    func mayRefresh(_ list: FolderList, of account: AccountID) -> Bool {
        guard list.command != self.commandNumber else { return false }
        return self.upstreams[account]?.refreshes.mayRead(list, at: self.now) ?? false
    }

    /// Asks an idle server for its folders.
    /// - Returns: false where it failed to tell them during this command.
    mutating func requestFolders(of account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account],
            upstream.failedFolderListing != self.commandNumber
        else { return false }
        if let list = upstream.folders { upstream.refreshes.read(list, at: self.now) }
        upstream.folderListing = FolderListing(
            hasIdentifiers: upstream.profile.hasListedIdentifiers
        )
        upstream.housekeeping = .folders
        var encoder = self.encoder(for: account)
        encoder.write(word: "LIST \"\" \"*\"")
        if upstream.profile.hasListedIdentifiers {
            encoder.write(word: "RETURN (STATUS (MAILBOXID))")
        }
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
        return true
    }

    /// A line of the server's list has arrived.
    mutating func folderListed(
        _ list: ListResponse,
        octets: Int,
        by account: AccountID
    ) throws(SyntaxError) {
        guard let upstream = self.upstreams[account] else { return }
        try upstream.count(octets: octets)
        guard list.isMailbox, let folder = upstream.names.folder(listedAs: list.mailbox) else {
            if list.isMailbox { self.reportOmitted(list.mailbox, from: account) }
            return
        }
        let rights = self.access(to: account).rights(in: folder)
        upstream.folderListing?.add(folder, isVisible: !rights.isEmpty)
    }

    /// The server told the identifier of a mailbox in its list.
    mutating func folderIdentified(
        _ status: StatusResponse,
        by account: AccountID
    ) throws(SyntaxError) {
        guard let upstream = self.upstreams[account],
            let folder = upstream.names.folder(listedAs: status.mailbox)
        else { return }
        guard let identifier = status.mailboxIdentifier else { return }
        try upstream.count(octets: identifier.readableBytes)
        upstream.folderListing?.identify(folder, as: identifier)
    }

    /// The server has told its whole list, or refused to.
    mutating func folderListingCompleted(_ account: AccountID, condition: Condition) {
        guard let upstream = self.upstreams[account] else { return }
        if condition == .ok {
            upstream.folders = upstream.folderListing?.finished(during: self.commandNumber)
        } else {
            upstream.folders = nil
            upstream.failedFolderListing = self.commandNumber
        }
        upstream.folderListing = nil
        self.tellWaitingNews(of: account)
    }

    // MARK: - NOTIFY

    /// Tells the client what a server told by itself of a folder, if the folder exists for this user. Where
    /// the list lacks it, the server is asked for a new list first.
    mutating func tell(_ news: FolderNews, of account: AccountID) {
        guard !self.access(to: account).isOwner else { return self.tell(news.line) }
        guard let upstream = self.upstreams[account] else { return }
        if upstream.folders?.contains(news.folder) ?? false { return self.tell(news.line) }
        guard !upstream.unlisted.contains(news.folder),
            upstream.unlisted.count < Upstream.maximumUnlisted,
            upstream.waitingNews.count < Upstream.maximumWaitingNews
        else { return }
        upstream.waitingNews.append(news)
        if self.selected?.account != account { self.requestFoldersForNews(of: account) }
    }

    /// Asks for the list that waiting news needs, if the server waits for a command.
    /// - Returns: whether it was asked.
    @discardableResult
    mutating func requestFoldersForNews(of account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account], upstream.isIdle,
            !upstream.waitingNews.isEmpty
        else { return false }
        // Between two commands of a transfer nothing else may be sent there.
        if case .transferring(let transferring) = self.running, transferring.plan.involves(account)
        {
            return false
        }
        return self.requestFolders(of: account)
    }

    /// The list that news waited for has been read.
    private mutating func tellWaitingNews(of account: AccountID) {
        guard let upstream = self.upstreams[account] else { return }
        let waiting = upstream.waitingNews
        upstream.waitingNews = []
        // Without a list nothing is known of them, and nothing is told.
        guard let list = upstream.folders else { return }
        for news in waiting {
            guard list.contains(news.folder) else {
                upstream.unlisted.insert(news.folder)
                continue
            }
            guard self.watching != nil,
                self.rights(in: news.folder, of: account).contains(news.needs)
            else { continue }
            self.tell(news.line)
        }
    }

    /// Lists that were read with other rights lack what this user may see now.
    mutating func forgetFolders(readWith before: [AccountID: AccountAccess]) {
        for (account, upstream) in self.upstreams
        where upstream.folders != nil || upstream.folderListing != nil {
            guard before[account] != self.access(to: account) else { continue }
            upstream.foldersChanged()
            // One that is arriving is asked for again.
            upstream.folderListing = nil
        }
    }
}
