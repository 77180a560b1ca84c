import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running SELECT or EXAMINE (RFC 9051 §6.3.2, §6.3.3).
final class Selecting: RunningCommand {
    /// How a mailbox is opened at its server.
    struct Mode {
        /// Whether the client sent EXAMINE.
        var isExamine: Bool
        /// Whether the gateway sends EXAMINE.
        var isReadOnlyUpstream: Bool
        /// Whether the client is told that the mailbox has no mod-sequences, although its server has them.
        var tellsNoModSeq: Bool
        /// Whether the command enables CONDSTORE at the server (RFC 7162 §3.1).
        var enablesModSeqs: Bool
    }

    /// The client's command.
    let tagged: TaggedCommand
    let account: AccountID
    let folder: FolderPath
    /// The mailbox that was selected on the same connection. Its updates may arrive until the server completes the
    /// command.
    let left: FolderPath?
    private let mode: Mode
    /// Remaining segments of the command, each sent after a continuation request.
    private var segments: [ByteBuffer] = []
    /// The flags that the server listed for the mailbox.
    private var flags: [ByteBuffer] = []
    /// The UIDVALIDITY that the server reported.
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

    /// Sends the command.
    ///
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

    /// The server completed the command. The right to read is checked again, because it may have ended since.
    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        guard !completion.isIncomplete else {
            // The server has selected the mailbox, but the client has not.
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
        guard rights.contains(.view) else {
            context.drop(self.account)
            return context.finish(self.tagged.tag, text: .notPermitted)
        }
        self.open(rights: rights, code: completion.code, in: &context)
    }

    /// Selects the mailbox for the client. It is read-only after EXAMINE, without a right to change it, or if the
    /// server opened it read-only.
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

    /// Forwards a response code of the mailbox. PERMANENTFLAGS are reduced to the flags that the user may set.
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

    /// Both the mailbox that is being opened and the one that is being left must be readable.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        guard account == self.account else { return false }
        let folders = [self.folder] + (self.left.map { [$0] } ?? [])
        return !folders.allSatisfy { context.mayRead($0, of: account) }
    }
}
