import Access
import IMAP

/// NOTIFY for accounts whose servers lack it (RFC 5465). While no command runs, the gateway asks
/// for the counts of the watched mailboxes and reports changes to the client.
///
/// Polling does not report created, deleted and renamed mailboxes, nor items of new messages. It
/// does not poll the selected mailbox under SELECTED-DELAYED, because the answer to NOOP may
/// contain EXPUNGE.
extension ClientSession {
    /// Starts to poll an account. Changes since the last poll are reported, unless the client has
    /// sent a new NOTIFY.
    ///
    /// - Returns: whether a command was sent; then no other can be sent now.
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

    /// Starts the poll timer, which serves all accounts, unless it runs.
    private mutating func schedulePoll() {
        guard !self.isPollScheduled else { return }
        self.pollLater()
    }

    /// Starts the next round of polling in each polled account.
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

    /// Sends NOOP to the server of the selected mailbox, so that it can report changes.
    ///
    /// - Returns: whether NOOP was sent.
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

    /// Asks for the counts of the next mailbox if the account's server is idle and no command of
    /// the client runs.
    ///
    /// - Returns: whether STATUS was sent.
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
        // The first round is complete. From now on, changes are reported.
        self.notified(account, failed: false)
        return false
    }

    /// Whether a mailbox exists for the user, may be read and is not selected. STATUS must not be
    /// used for the selected mailbox (RFC 9051 §6.3.11).
    private mutating func isPolled(_ folder: FolderPath, of account: AccountID) -> Bool {
        guard self.rights(in: folder, of: account).contains(.view) else { return false }
        if let selected = self.selected, selected.account == account, selected.folder == folder {
            return false
        }
        return self.upstreams[account]?.folders?.contains(folder) ?? false
    }

    /// A server has answered a STATUS of the gateway.
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

    /// The part of the client's request that can be polled in an account. If several groups cover a
    /// mailbox, the first one counts (RFC 5465 §3.1).
    private mutating func polling(of account: AccountID) -> Polling {
        var polling = Polling()
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return polling
        }
        polling.tellsFirst = watching.request.sendsStatus
        let list = self.upstreams[account]?.folders
        var decided: Set<FolderPath> = []
        // Whether the groups so far cover every mailbox, or as many as can be watched.
        var isDecided = false
        for (number, group) in watching.request.groups.enumerated() {
            let watchesMessages = group.events.contains(.messageNew)
            guard !group.filter.isSelected else {
                polling.pollsSelected = group.filter == .selected && watchesMessages
                continue
            }
            guard !isDecided, let list,
                let reach = self.reach(of: number, watching: watching, in: view)
            else {
                continue
            }
            if case .filter(let filter) = reach, filter != .inboxes, !watchesMessages {
                isDecided = true
                continue
            }
            // One folder above the limit shows that there are too many.
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

    /// The folders of the list that a group covers.
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
