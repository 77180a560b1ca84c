import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A SELECT or EXAMINE on its way (RFC 9051 §6.3.2).
final class Selecting: RunningCommand {
    /// How a mailbox is opened at its server.
    struct Mode {
        /// Whether the client asked for EXAMINE.
        var isExamine: Bool
        var isReadOnlyUpstream: Bool
        /// Whether the client is told that the mailbox has no mod-sequences, whatever its server says.
        var tellsNoModSeq: Bool
        /// Whether the server has CONDSTORE enabled once it has opened the mailbox.
        var enablesModSeqs: Bool
    }

    /// The client's command.
    let tagged: TaggedCommand
    let account: AccountID
    let folder: FolderPath
    /// What was open on the same connection, of which there may be news until the server answers.
    let left: FolderPath?
    private let mode: Mode
    private var segments: [ByteBuffer] = []
    private var flags: [ByteBuffer] = []
    private var uidValidity: UInt32?

    init(
        _ tagged: TaggedCommand,
        folder: FolderPath,
        in account: AccountID,
        leaving left: FolderPath?,
        mode: Mode
    ) {
        self.tagged = tagged
        self.folder = folder
        self.account = account
        self.left = left
        self.mode = mode
    }

    /// - Parameter encoder: the command for the server.
    func begin(_ encoder: CommandEncoder, in context: inout some CommandContext) {
        var encoder = encoder
        self.segments = encoder.finish()
        context.send(self.segments.removeFirst(), to: self.account)
    }

    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        guard account == self.account else { return false }
        switch event {
        case .continued:
            guard !self.segments.isEmpty else { return false }
            context.send(self.segments.removeFirst(), to: account)
        case .completed(let completion):
            self.completed(completion, in: &context)
        case .untagged(.status(let code)):
            self.statusReceived(code, in: &context)
        case .untagged(.flags(let flags)):
            self.flags = flags
            context.emit(Reply.flags(flags))
        case .lost(let answer):
            context.finish(self.tagged.tag, text: answer)
        case .ready, .untagged:
            return false
        }
        return true
    }

    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        guard !completion.isIncomplete else {
            // The server has the mailbox open, and the client has not.
            context.drop(self.account)
            return context.finish(self.tagged.tag, text: .answerUnreadable)
        }
        guard completion.condition == .ok else {
            return context.finish(self.tagged.tag, text: context.refusal(completion))
        }
        if self.mode.enablesModSeqs {
            context.upstream(of: self.account)?.enabled.insert("CONDSTORE")
        }
        context.auditReadingEnded()
        let rights = context.rights(in: self.folder, of: self.account)
        guard rights.contains([.lookup, .read]) else {
            context.drop(self.account)
            return context.finish(self.tagged.tag, text: .notPermitted)
        }
        self.open(rights: rights, code: completion.code, in: &context)
    }

    private func open(
        rights: Rights,
        code: ResponseCode?,
        in context: inout some CommandContext
    ) {
        var isReadOnly = self.mode.isExamine || rights.isDisjoint(with: .changingShared)
        if case .readOnly? = code, !self.mode.isReadOnlyUpstream { isReadOnly = true }
        context.selected = SelectedMailbox(
            account: self.account,
            folder: self.folder,
            isReadOnlyUpstream: self.mode.isReadOnlyUpstream,
            uidValidity: self.uidValidity,
            tellsNoModSeq: self.mode.tellsNoModSeq,
            flags: self.flags
        )
        if self.mode.tellsNoModSeq { context.emit(Reply.untagged(.status(.noModSeq))) }
        context.finish(self.tagged.tag, text: .selected(isReadOnly: isReadOnly))
    }

    /// What the server says of the mailbox that it opens.
    private func statusReceived(_ code: ResponseCode, in context: inout some CommandContext) {
        if case .uidValidity(let value) = code { self.uidValidity = value }
        if case .permanentFlags(let flags) = code {
            let rights = context.rights(in: self.folder, of: self.account)
            let permitted = self.mode.isExamine ? [] : Flags.permanent(flags, rights: rights)
            return context.emit(Reply.untagged(.status(.permanentFlags(permitted))))
        }
        guard let shown = code.onSelected(tellsNoModSeq: self.mode.tellsNoModSeq) else { return }
        context.emit(Reply.untagged(.status(shown)))
    }

    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        guard account == self.account else { return false }
        let folders = [self.folder] + (self.left.map { [$0] } ?? [])
        return !folders.allSatisfy { context.mayRead($0, of: account) }
    }
}
