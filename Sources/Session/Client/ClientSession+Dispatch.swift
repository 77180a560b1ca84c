import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Dispatches commands by their rows of the command table.
extension ClientSession {
    /// The state of the client's connection (RFC 9051 §3).
    private var state: CommandTraits.States {
        guard self.user != nil else { return .notAuthenticated }
        return self.selected == nil && !self.isEmptyInboxSelected ? .authenticated : .selected
    }

    /// Checks a command against the table, then executes it. A command that had to wait for its
    /// server passes here again, so that every check is repeated.
    mutating func dispatch(_ tag: ByteBuffer, command: Command) {
        let row = command.row
        guard row.traits.states.contains(self.state) else {
            return self.finish(tag, text: .badState)
        }
        let tagged = TaggedCommand(tag: tag, command: command, traits: row.traits)
        if self.user != nil {
            self.auditBegan(row.traits.audited)
            if row.traits.enablesModSeqs { self.enabled.insert("CONDSTORE") }
            if self.isEmptyInboxSelected, let answer = row.traits.inEmptyInbox {
                return self.answerInEmptyInbox(tagged, answer: answer)
            }
        }
        switch row.action {
        case .session(let action):
            action(&self, tagged)
        case .selected(let action):
            self.onSelected(tagged, action: action)
        }
    }

    /// Executes a command on the selected mailbox. The user's rights are looked up for each
    /// command, so a withdrawn grant takes effect at once.
    private mutating func onSelected(
        _ tagged: TaggedCommand,
        action: (inout ClientSession, TaggedCommand, SelectedMailbox, Rights) -> Void
    ) {
        guard let selected = self.selected else { return self.finish(tagged.tag, text: .badState) }
        let rights = self.rights(in: selected.folder, of: selected.account)
        guard rights.contains(.view) else {
            self.leaveSelected(announce: true)
            return self.finish(tagged.tag, text: .notPermitted)
        }
        guard self.prepare(selected.account, for: tagged) else { return }
        guard !self.hasExpungedMeanwhile || !tagged.traits.usesMessageNumbers else {
            return self.finish(tagged.tag, text: .expungedMeanwhile)
        }
        action(&self, tagged, selected, rights)
    }

    /// NOOP (RFC 9051 §6.1.2) is forwarded if a mailbox is selected, so that its server can report
    /// changes.
    mutating func noop(_ tagged: TaggedCommand) {
        guard self.selected != nil else {
            return self.finish(tagged.tag, text: .completed(tagged.traits.name))
        }
        self.onSelected(tagged) { session, tagged, selected, _ in
            session.forward(tagged, to: selected.account) { $0.write(word: "NOOP") }
        }
    }
}
