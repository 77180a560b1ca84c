import Access
import IMAP

import struct NIOCore.ByteBuffer

/// COPY and MOVE (RFC 9051 §6.4.7, §6.4.8).
extension ClientSession {
    /// COPY and MOVE: `i` on the target, and for MOVE `t` and `e` on the source
    /// (RFC 4314 §4, RFC 6851 §4.2).
    ///
    /// - Parameter rights: on the source.
    mutating func copy(
        _ tagged: TaggedCommand,
        copy: Copy,
        selected: SelectedMailbox,
        rights: Rights
    ) {
        var moves = false
        if case .move = tagged.command { moves = true }
        let resolved = self.resolve(copy.mailbox)
        guard case .folder(let account, let folder, let targetRights) = resolved else {
            let isEmptyInbox = self.isEmptyInbox(copy.mailbox)
            return self.finish(tagged.tag, text: isEmptyInbox ? .notPermitted : .noSuchMailbox)
        }
        guard targetRights.contains(.insert) else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        if moves, !rights.contains([.deleteMessages, .expunge]) || selected.isReadOnlyUpstream {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        let isOther = account != selected.account
        // What names the messages, only their own server needs.
        var atTarget = tagged
        atTarget.traits.requiredCapabilities = []
        let located = self.locate(folder, in: account, for: atTarget)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            return self.finish(tagged.tag, text: self.missingTarget(folder, in: account))
        }
        let mayCreate = self.mayCreate(folder, in: account)
        let hasMove = self.upstreams[account]?.profile.has("MOVE") ?? false
        // What STATUS tells of the selected mailbox may be out of date (RFC 9051 §6.3.11): an original could be taken
        // for a copy that has to go.
        guard isOther || !moves || hasMove || folder != selected.folder else {
            return self.finish(tagged.tag, text: .lacking("MOVE"))
        }
        // Where the server has no MOVE, the gateway copies, and removes the originals under its journal.
        guard !isOther, !moves || hasMove else {
            let plan = TransferPlan(
                tag: tagged.tag,
                moves: moves,
                copy: copy,
                from: selected,
                to: account,
                folder,
                name: name,
                mayCreate: mayCreate
            )
            let transferring = Transferring(plan, rights: targetRights)
            self.running = .transferring(transferring)
            return transferring.begin(in: &self)
        }
        self.forward(tagged, to: account) {
            $0.outcome = .copied(to: folder)
        } encode: {
            copy.encode(into: &$0, command: moves ? "MOVE" : "COPY", mailbox: name)
        }
    }
}
