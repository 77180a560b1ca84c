import Access
import IMAP

import struct NIOCore.ByteBuffer

/// SELECT, EXAMINE, CLOSE and UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2).
extension ClientSession {
    /// SELECT and EXAMINE need `l` and `r`. Without a right to change the mailbox, the gateway
    /// opens it with EXAMINE.
    ///
    /// A refused SELECT leaves no mailbox selected (RFC 9051 §6.3.2).
    mutating func select(
        _ tagged: TaggedCommand,
        select: Select,
        readOnly: Bool
    ) {
        // QRESYNC before ENABLE is a syntax error, which does not deselect the mailbox (RFC 7162
        // §3.2.5).
        guard select.resync == nil || self.enabled.contains("QRESYNC") else {
            return self.finish(tagged.tag, text: .badNotEnabled)
        }
        self.isEmptyInboxSelected = false
        guard !self.isEmptyInbox(select.mailbox) else {
            return self.selectEmptyInbox(tagged.tag, select: select)
        }
        // A poll is in flight there. Its connection cannot leave the mailbox before the answer.
        if let left = self.selected?.account, self.upstreams[left]?.housekeeping == .poll {
            self.running = .preparing(tagged, left)
            return
        }
        let found = self.require([.lookup, .read], on: select.mailbox)
        guard case .success(let (account, folder, rights)) = found else {
            self.leaveSelected(announce: false)
            guard case .failure(let refusal) = found else { return }
            return self.finish(tagged.tag, text: refusal.text)
        }
        if self.selected?.account != account { self.leaveSelected(announce: false) }
        let located = self.locate(folder, in: account, for: tagged)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            self.leaveSelected(announce: false)
            return self.finish(tagged.tag, text: .noSuchMailbox)
        }
        if self.giveNotify(to: account) {
            self.running = .preparing(tagged, account)
            return
        }
        let opensReadOnly = readOnly || rights.isDisjoint(with: .changingSelected)
        let tellsNoModSeq = self.tellsNoModSeq(on: select, in: account)
        var asked = tellsNoModSeq ? select.withoutModSeq : select
        if self.enablesModSeqsBySelect(in: account) { asked.condStore = true }
        var encoder = self.encoder(for: account)
        asked.encode(into: &encoder, mailbox: name, readOnly: opensReadOnly)
        let left = self.selected?.folder
        self.selected = nil
        let selecting = Selecting(
            tagged,
            folder: folder,
            in: account,
            leaving: left,
            mode: Selecting.Mode(
                isExamine: readOnly,
                isReadOnlyUpstream: opensReadOnly,
                tellsNoModSeq: tellsNoModSeq,
                enablesModSeqs: asked.condStore || asked.resync != nil
            )
        )
        self.running = .selecting(selecting)
        selecting.begin(encoder, in: &self)
    }

    /// CLOSE and UNSELECT. Without the right `e`, CLOSE closes the mailbox, expunges nothing and is
    /// answered OK (RFC 4314 §4).
    mutating func close(_ tagged: TaggedCommand, selected: SelectedMailbox, expunges: Bool) {
        self.auditReadingEnded()
        let account = selected.account
        let hasUnselect = self.upstreams[account]?.profile.has("UNSELECT") ?? false
        self.selected = nil
        let expunges = expunges && !selected.isReadOnlyUpstream
        guard expunges || hasUnselect else {
            self.drop(account)
            return self.finish(tagged.tag, text: .completed(tagged.traits.name))
        }
        self.forward(tagged, to: account) { $0.write(word: expunges ? "CLOSE" : "UNSELECT") }
    }

    /// Deselects the mailbox, so that no command reaches it and its server's responses about it are
    /// withheld. The connection is kept if UNSELECT can be sent at once, and closed otherwise.
    ///
    /// - Parameter announce: whether to tell the client, because it did not deselect the mailbox
    ///   itself.
    mutating func leaveSelected(announce: Bool) {
        guard let selected = self.selected else { return }
        let account = selected.account
        self.selected = nil
        if announce { self.emit(Reply.untagged(.closed)) }
        guard let upstream = self.upstreams[account], upstream.state == .ready,
            upstream.inFlight == nil, upstream.profile.has("UNSELECT")
        else { return self.drop(account) }
        var encoder = self.encoder(for: account)
        encoder.write(word: "UNSELECT")
        self.upstreams[account]?.housekeeping = .upkeep
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
    }

    /// Closes the connection to an account's server.
    mutating func drop(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        // The rest of the response will not arrive, and no other octets may be written into it.
        if self.passing == account { return self.end(nil) }
        self.watchedUpstreamLost(account)
    }
}
