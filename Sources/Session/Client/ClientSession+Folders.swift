import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Checks whether a folder that a command names exists. For every user except the owner of the
/// account, a folder exists only if the server lists it (``FolderList``).
extension ClientSession {
    /// The result of a look-up.
    enum Located {
        /// The folder's name on its server, in wire octets.
        case name(ByteBuffer)
        case missing
        /// The command was answered, or waits and will be dispatched again. The caller returns.
        case answeredOrDeferred
    }

    /// Prepares an account's server and finds a folder's name there.
    ///
    /// - Parameter existence: whether the folder itself must be listed, or only be a possible
    ///   parent.
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

    /// Whether a folder exists, for a command that the gateway executes without a server. For the
    /// owner of the account no server is asked, unless the path contains escapes.
    ///
    /// - Returns: false if the command was answered or waits.
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

    /// Whether a folder exists for this user; nil if the server has to be asked first. For the
    /// owner, a folder need not be listed, unless its path contains escapes.
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

    /// Whether the gateway may ask the server again because a list lacks a folder: not twice for
    /// one command, and not above the rate of ``FolderList/Refreshes``.
    func mayRefresh(_ list: FolderList, of account: AccountID) -> Bool {
        guard list.command != self.commandNumber else { return false }
        return self.upstreams[account]?.refreshes.mayRead(list, at: self.now) ?? false
    }

    /// Sends LIST to an idle server.
    ///
    /// - Returns: false if the server failed to list its folders during this command.
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

    /// A LIST response has arrived that answers the gateway's own LIST.
    ///
    /// - Throws: an error if the server lists more octets than the limit.
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

    /// A STATUS response has arrived with the identifier of a listed mailbox (RFC 8474 §4).
    ///
    /// - Throws: an error if the server lists more octets than the limit.
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

    /// The server has answered the gateway's own LIST.
    mutating func folderListingCompleted(_ account: AccountID, condition: Condition) {
        guard let upstream = self.upstreams[account] else { return }
        if condition == .ok {
            upstream.folders = upstream.folderListing?.finished(during: self.commandNumber)
        } else {
            upstream.folders = nil
            upstream.failedFolderListing = self.commandNumber
        }
        upstream.folderListing = nil
        self.tellWaitingNotifications(of: account)
    }

    // MARK: - NOTIFY

    /// Reports an event of a watched folder to the client, if the folder exists for this user. If
    /// the list lacks the folder, the event waits for a new list. At most a fixed number of events
    /// wait; others are dropped.
    mutating func tell(_ notification: FolderNotification, of account: AccountID) {
        guard !self.access(to: account).isOwner else { return self.tell(notification.line) }
        guard let upstream = self.upstreams[account] else { return }
        if upstream.folders?.contains(notification.folder) ?? false {
            return self.tell(notification.line)
        }
        guard !upstream.unlisted.contains(notification.folder),
            upstream.unlisted.count < Upstream.maximumUnlisted,
            upstream.waitingNotifications.count < Upstream.maximumWaitingNotifications
        else { return }
        upstream.waitingNotifications.append(notification)
        if self.selected?.account != account { self.requestFoldersForNotifications(of: account) }
    }

    /// Sends LIST if events wait for the list and the server is idle.
    ///
    /// - Returns: whether LIST was sent.
    @discardableResult
    mutating func requestFoldersForNotifications(of account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account], upstream.isIdle,
            !upstream.waitingNotifications.isEmpty
        else { return false }
        // Between two commands of a transfer no other command may be sent to its servers.
        if case .transferring(let transferring) = self.running, transferring.plan.involves(account)
        {
            return false
        }
        return self.requestFolders(of: account)
    }

    /// Reports the waiting events whose folders are in the new list, and for which the user still
    /// has the right.
    private mutating func tellWaitingNotifications(of account: AccountID) {
        guard let upstream = self.upstreams[account] else { return }
        let waiting = upstream.waitingNotifications
        upstream.waitingNotifications = []
        // Without a list, the gateway does not know whether the folders exist, and reports nothing.
        guard let list = upstream.folders else { return }
        for notification in waiting {
            guard list.contains(notification.folder) else {
                upstream.unlisted.insert(notification.folder)
                continue
            }
            guard self.watching != nil,
                self.rights(in: notification.folder, of: account).contains(notification.needs)
            else { continue }
            self.tell(notification.line)
        }
    }

    /// Discards the folder lists of accounts on which the user's rights have changed, because a
    /// list holds only folders that were visible when it was read.
    mutating func forgetFolders(readWith before: [AccountID: AccountAccess]) {
        for (account, upstream) in self.upstreams
        where upstream.folders != nil || upstream.folderListing != nil {
            guard before[account] != self.access(to: account) else { continue }
            upstream.foldersChanged()
            // A list that is arriving was filtered by the old rights and is requested again.
            upstream.folderListing = nil
        }
    }
}
