import Access
import IMAP

import struct NIOCore.ByteBuffer

/// COPY and MOVE (RFC 9051 §6.4.7, §6.4.8).
extension ClientSession {
    /// COPY and MOVE need `i` on the target. MOVE also needs `t` and `e` on the source (RFC 4314
    /// §4, RFC 6851 §4.2). Between two accounts, or without MOVE at the server, the gateway
    /// transfers the messages itself (``Transferring``).
    ///
    /// - Parameter rights: the user's rights on the source.
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
        // Only the server of the source has to understand how the command names the messages.
        var atTarget = tagged
        atTarget.traits.requiredCapabilities = []
        let located = self.locate(folder, in: account, for: atTarget)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            return self.finish(tagged.tag, text: self.missingTarget(folder, in: account))
        }
        let mayCreate = self.mayCreate(folder, in: account)
        let hasMove = self.upstreams[account]?.profile.has("MOVE") ?? false
        // STATUS of the selected mailbox may be out of date (RFC 9051 §6.3.11). The gateway could
        // take an original for a copy and remove it.
        guard isOther || !moves || hasMove || folder != selected.folder else {
            return self.finish(tagged.tag, text: .lacking("MOVE"))
        }
        // Without MOVE at the server, the gateway copies the messages and removes the originals
        // under its journal.
        guard !isOther, !moves || hasMove else {
            let plan = TransferPlan(
                tag: tagged.tag,
                moves: moves,
                copy: copy,
                from: selected,
                to: account,
                folder: folder,
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
