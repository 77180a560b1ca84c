import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Answers of servers to the command in flight, and what they say besides.
extension ClientSession {
    /// The server is ready for the next segment of a command, for a message, or is idling.
    mutating func continuationReceived(_ account: AccountID) throws(SyntaxError) {
        if let upstream = self.upstreams[account], !upstream.segments.isEmpty {
            self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
            return
        }
        switch self.running {
        case .forwarding(let forwarding)
        where forwarding.account == account && !forwarding.segments.isEmpty:
            self.actions.append(.toUpstream(account, forwarding.segments.removeFirst()))
        case .selecting(var selecting)
        where selecting.account == account && !selecting.segments.isEmpty:
            self.actions.append(.toUpstream(account, selecting.segments.removeFirst()))
            self.running = .selecting(selecting)
        case .appending(let appending) where appending.account == account:
            try self.appendContinued(appending)
        case .idling(var idling) where idling.account == account && !idling.isUpstreamIdling:
            idling.isUpstreamIdling = true
            self.running = .idling(idling)
            self.idleBegan(idling)
        case .listing(let listing) where listing.expectsContinuation(from: account):
            self.listingContinued(account)
        case .transferring(let transferring) where transferring.plan.involves(account):
            try self.transferContinued(transferring, account: account)
        default:
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
    }

    /// The command in flight is answered.
    mutating func completionReceived(
        _ account: AccountID,
        condition: Condition,
        text: ByteBuffer
    ) {
        if condition != .ok, self.snapshot.accounts[account]?.kind == .exchange {
            if Quirks.isTokenOver(text) { return self.connectionEnded(account) }
            if let failure = Quirks.failure(text) {
                return self.serverFailed(account, failure: failure)
            }
        }
        self.upstreams[account]?.inFlight = nil
        let isIncomplete =
            condition == .ok && self.upstreams[account]?.isAnswerIncomplete ?? false
        self.upstreams[account]?.isAnswerIncomplete = false
        self.upstreams[account]?.unreadableLines = 0
        let condition = isIncomplete ? .no : condition
        let code =
            text.readableBytes > 0 && text.getInteger(at: text.readerIndex) == UInt8(ascii: "[")
            ? (try? ResponseText(text))?.code : nil
        // What is incomplete the server did not refuse.
        if !isIncomplete {
            self.refusalReceived(account, condition: condition, code: code, text: text)
        }
        defer { self.serverRefusal = nil }
        if let housekeeping = self.upstreams[account]?.housekeeping {
            self.upstreams[account]?.housekeeping = nil
            self.upstreams[account]?.segments = []
            if housekeeping == .notify { self.notifyCompleted(account, condition: condition) }
            if housekeeping == .folders {
                self.folderListingCompleted(account, condition: condition)
            }
            return self.upstreamBecameIdle(account)
        }
        guard !isIncomplete else { return self.incompleteAnswerCompleted(account) }
        switch self.running {
        case .forwarding(let forwarding) where forwarding.account == account:
            self.forwardCompleted(forwarding, condition: condition, code: code)
        case .selecting(let selecting) where selecting.account == account:
            self.selectCompleted(selecting, condition: condition, code: code)
        case .listing:
            self.listingCompleted(account, condition: condition)
        case .appending(let appending) where appending.account == account:
            self.appendCompleted(appending, condition: condition, code: code)
        case .idling(let idling) where idling.account == account:
            self.idleCompleted(idling, condition: condition)
        case .transferring(let transferring) where transferring.plan.involves(account):
            self.transferAnswered(transferring, by: account, condition: condition, code: code)
        default:
            // What asked for it was answered before; something else may wait for the server.
            return self.upstreamBecameIdle(account)
        }
        // Behind a command, a server may tell of removed messages (RFC 9051 §7.5.1): not where the client
        // has the mailbox selected and expects none.
        if self.selected?.account != account { self.requestFoldersForNews(of: account) }
    }

    private mutating func forwardCompleted(
        _ forwarding: Forwarding,
        condition: Condition,
        code: ResponseCode?
    ) {
        if case .foldersChanged = forwarding.completion {
            self.foldersChanged(in: forwarding.account)
            self.actions.append(.foldersChanged(forwarding.account))
        }
        guard condition == .ok else {
            var code = code
            if case .copied(let folder) = forwarding.completion, case .tryCreate? = code,
                !self.mayCreate(folder, in: forwarding.account)
            {
                code = .nonExistent
            }
            return self.finish(forwarding.tag, text: self.refusal(condition, code: code))
        }
        if forwarding.enablesModSeqs { self.modSeqsEnabled(in: forwarding.account) }
        if let folder = forwarding.folder, !self.mayRead(folder, of: forwarding.account) {
            return self.finish(forwarding.tag, text: .noSuchMailbox)
        }
        guard forwarding.followUps.isEmpty else { return self.followUp(forwarding) }
        if let tag = forwarding.updatingTag {
            self.selected?.updating.append((upstream: tag, client: forwarding.tag))
        }
        if let results = forwarding.results {
            guard !results.isOverLimit else {
                return self.finish(forwarding.tag, text: .tooManyResults)
            }
            self.emit(results.response(tag: forwarding.tag))
        }
        var shown = code
        // MOVE gives its COPYUID untagged, before the EXPUNGE (RFC 6851 §4.3).
        if case .copyUID? = code, !self.mayShowCopyUID(of: forwarding) { shown = nil }
        if self.selected?.tellsNoModSeq ?? false, code?.isOfModSeqs ?? false { shown = nil }
        self.finish(forwarding.tag, text: .completed(forwarding.name, shown?.forClient))
    }

    mutating func mayRead(_ folder: FolderPath, of account: AccountID) -> Bool {
        self.rights(in: folder, of: account).contains([.lookup, .read])
    }

    private mutating func mayShowCopyUID(of forwarding: Forwarding) -> Bool {
        guard case .copied(let folder) = forwarding.completion else { return false }
        return self.mayRead(folder, of: forwarding.account)
    }

    private mutating func followUp(_ forwarding: Forwarding) {
        let rights = self.selected.map { self.rights(in: $0.folder, of: $0.account) } ?? []
        guard rights.contains(forwarding.followUpRights) else {
            return self.finish(forwarding.tag, text: .notPermitted)
        }
        let next = forwarding.followUps.removeFirst()
        self.upstreams[forwarding.account]?.inFlight = next.tag
        forwarding.segments = Array(next.segments.dropFirst())
        guard let first = next.segments.first else { return }
        self.actions.append(.toUpstream(forwarding.account, first))
    }

    /// The client's answer where a server refused. The server's own words pass to the owner alone: they
    /// may name what others must not know of.
    func refusal(_ condition: Condition, code: ResponseCode?) -> ReplyText {
        if case .nonExistent? = code { return .noSuchMailbox }
        guard condition != .bad else { return .badForServer }
        let shown = self.serverRefusal?.shown(with: code) ?? code?.forClient
        guard let words = self.serverRefusal?.words else { return .refusedByServer(shown) }
        return .refusedWithWords(shown, words)
    }

    /// An untagged OK, NO, BAD or BYE: the codes that speak of the selected mailbox pass, newly
    /// written; a BYE announces a close, which is dealt with when it comes.
    mutating func statusReceived(
        _ account: AccountID,
        condition: Condition,
        text: ByteBuffer
    ) {
        if condition == .bye, self.snapshot.accounts[account]?.kind == .exchange,
            Quirks.isTokenOver(text)
        {
            self.upstreams[account]?.isTokenOver = true
            return
        }
        guard let code = self.code(in: text, from: account) else { return }
        if condition == .no, case .noUpdate(let tag) = code {
            return self.updateRefused(tag, account: account)
        }
        guard condition == .ok else { return }
        if code == .notificationOverflow { return self.stopWatching() }
        if case .selecting(let selecting) = self.running, selecting.account == account {
            return self.selectStatusReceived(selecting, code: code)
        }
        if case .transferring(let transferring) = self.running, transferring.plan.target == account,
            !transferring.plan.isLocal
        {
            return self.transferStatusReceived(transferring, code: code)
        }
        guard let selected = self.selected, selected.account == account else { return }
        if case .copyUID = code {
            guard case .forwarding(let forwarding) = self.running,
                self.mayShowCopyUID(of: forwarding)
            else { return }
        }
        self.selectedStatusReceived(selected, code: code)
    }
}

extension ResponseCode {
    /// The code as part of an answer to a client's command, or nil where it is not for clients.
    var forClient: ResponseCode? {
        switch self {
        case .appendUID, .copyUID, .highestModSeq, .modified, .expungeIssued, .overQuota,
            .alreadyExists, .cannot, .limit, .inUse, .noPerm, .unavailable, .tryCreate, .tooBig,
            .notSaved, .hasChildren, .badCharset, .unknownCTE, .noModSeq, .closed, .mailboxID,
            .corruption, .useAttr:
            self
        default:
            nil
        }
    }

    /// The code in an untagged `OK` about the selected mailbox, or nil where it says nothing there.
    var onSelected: ResponseCode? {
        switch self {
        case .uidNext, .uidValidity, .unseen, .highestModSeq, .noModSeq, .uidNotSticky, .closed,
            .copyUID, .mailboxID, .inProgress:
            self
        default:
            nil
        }
    }
}
