import Access
import IMAP

/// NOTIFY for accounts whose servers do not have it (RFC 5465): the gateway asks for the counts of their
/// mailboxes when nothing else runs, and tells the client what changed.
///
/// What is not told: names that come and go, items of new messages, and the selected mailbox where the
/// client watches it by SELECTED-DELAYED, because NOOP would tell of messages that went.
extension ClientSession {
    /// Watches an account by polling from now on. What changed before is told unless the client asks anew.
    /// - Returns: whether its server is being asked, so that nothing else can be sent now.
    mutating func watchByPolling(_ account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account] else { return false }
        var polling = self.polling(of: account)
        if !upstream.isNotifyDue { polling.keepCounts(of: upstream.polling) }
        polling.begin(atMost: polling.mailboxes.count)
        upstream.isNotifyDue = false
        upstream.watchVersion = self.watchVersion
        upstream.polling = polling.isEmpty ? nil : polling
        if polling.isIncomplete, case .notifying(let notifying) = self.running {
            notifying.lacksPart()
        }
        if !polling.isEmpty { self.schedulePoll() }
        return self.pollNext(account)
    }

    /// One timer serves all accounts.
    private mutating func schedulePoll() {
        guard !self.isPollScheduled else { return }
        self.pollLater()
    }

    /// The time to ask accounts that are watched by polling.
    mutating func pollWatched() {
        guard self.watching != nil else { return }
        for (account, upstream) in self.upstreams.sorted(by: { $0.key < $1.key }) {
            guard let polling = upstream.polling else { continue }
            self.schedulePoll()
            upstream.polling?.begin(atMost: Polling.mailboxesPerPoll)
            guard !polling.pollsSelected || !self.pollSelected(account) else { continue }
            _ = self.pollNext(account)
        }
    }

    /// Lets the server of the selected mailbox tell what is new there.
    private mutating func pollSelected(_ account: AccountID) -> Bool {
        guard case .nothing = self.running, self.selected?.account == account,
            let upstream = self.upstreams[account], upstream.isIdle
        else { return false }
        upstream.housekeeping = .poll
        var encoder = self.encoder(for: account)
        encoder.write(word: "NOOP")
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
        return true
    }

    /// Asks for the counts of the next mailbox, if the account's server waits for a command and no command
    /// of the client runs.
    /// - Returns: whether it was asked.
    mutating func pollNext(_ account: AccountID) -> Bool {
        switch self.running {
        case .nothing, .idling, .notifying: break
        default: return false
        }
        guard self.watching != nil, let upstream = self.upstreams[account], upstream.isIdle,
            upstream.watchVersion == self.watchVersion
        else { return false }
        while let mailbox = upstream.polling?.advance() {
            guard self.isPolled(mailbox.folder, of: account),
                let name = upstream.names.name(of: mailbox.folder)
            else { continue }
            let status = Status(mailbox: ClientMailbox(wire: name), items: mailbox.items)
            var encoder = self.encoder(for: account)
            status.encode(into: &encoder, mailbox: name)
            upstream.housekeeping = .poll
            upstream.segments = encoder.finish()
            guard !upstream.segments.isEmpty else { return true }
            self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
            return true
        }
        // The first round is over: what changes from now on is told.
        self.notified(account, failed: false)
        return false
    }

    /// Whether a mailbox exists for the user, may be read, and is not the one that is open: STATUS is not for
    /// that one (RFC 9051 §6.3.11).
    private mutating func isPolled(_ folder: FolderPath, of account: AccountID) -> Bool {
        guard self.rights(in: folder, of: account).contains([.lookup, .read]) else { return false }
        if let selected = self.selected, selected.account == account, selected.folder == folder {
            return false
        }
        return self.upstreams[account]?.folders?.contains(folder) ?? false
    }

    /// Counts that the gateway asked for.
    mutating func polledStatusReceived(
        _ status: StatusResponse,
        of folder: FolderPath,
        in account: AccountID
    ) {
        guard let upstream = self.upstreams[account],
            upstream.polling?.take(status, of: folder) ?? false
        else { return }
        self.countsChanged(status, folder: folder, account: account)
    }

    // MARK: - Mailboxes

    /// What of the client's request polling can answer in an account. Of the groups that cover a mailbox the
    /// first counts (RFC 5465 §3.1).
    private mutating func polling(of account: AccountID) -> Polling {
        var polling = Polling()
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return polling
        }
        polling.tellsFirst = watching.request.sendsStatus
        let list = self.upstreams[account]?.folders
        var decided: Set<FolderPath> = []
        // Whether no further group can add a mailbox.
        var isDecided = false
        for (number, group) in watching.request.groups.enumerated() {
            let watchesMessages = group.events.contains(.messageNew)
            guard !group.filter.isSelected else {
                polling.pollsSelected = group.filter == .selected && watchesMessages
                continue
            }
            guard !isDecided, let list, let reach = self.reach(of: number, watching, in: view)
            else {
                continue
            }
            if case .filter(let filter) = reach, filter != .inboxes, !watchesMessages {
                isDecided = true
                continue
            }
            // One more than can be watched shows that there are too many.
            let limit = decided.count + Polling.maximumMailboxes + 1
            for folder in Self.folders(in: reach, of: list, atMost: limit)
            where decided.insert(folder).inserted {
                guard watchesMessages else { continue }
                polling.add(folder, countsUnseen: group.events.contains(.flagChange))
            }
            isDecided = polling.isIncomplete
        }
        return polling
    }

    private static func folders(
        in reach: Reach,
        of list: FolderList,
        atMost limit: Int
    ) -> [FolderPath] {
        switch reach {
        case .filter(.inboxes):
            list.listed(atMost: 1) { $0.elementsEqual("INBOX".utf8) }
        case .filter:
            list.listed(atMost: limit)
        case .subtree(let roots):
            list.listed(atMost: limit, where: Subtrees(roots).contains)
        case .mailboxes(let folders), .owners(let folders):
            folders.filter(list.contains)
        }
    }
}
