import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running command that one server executes, such as FETCH, STATUS or COPY within one account.
final class Forwarding: RunningCommand {
    /// What the session does with the server's completion.
    enum Outcome {
        /// Forward it.
        case plain
        /// Forward COPYUID only if the user may read the target (RFC 4315 §3), and TRYCREATE only if the user may
        /// create it.
        case copied(to: FolderPath)
        /// Discard the folder lists of the account, whose folders may have changed.
        case foldersChanged
    }

    /// A whole command for the server, with its tag.
    typealias Encoded = (tag: ByteBuffer, segments: [ByteBuffer])

    /// The client's command.
    let tagged: TaggedCommand
    let account: AccountID
    /// Remaining segments of the command, each sent after a continuation request.
    private var segments: [ByteBuffer]
    /// Further commands, each sent after the one before succeeded.
    var followUps: [Encoded] = []
    /// The rights in the selected mailbox that ``followUps`` need.
    var followUpRights: Rights = []
    /// The untagged responses that belong to the answer.
    var expected: DataKinds
    var outcome = Outcome.plain
    /// The mailbox as the client spelled it, for responses that repeat it.
    var mailbox: ByteBuffer?
    /// The same mailbox as a path in its account. The user must still be able to read it at the completion.
    var folder: FolderPath?
    /// The items that the client's STATUS requested, if the gateway reports HIGHESTMODSEQ 0 itself.
    var statusItems: [StatusItem]?
    /// Collects the numbers that a search finds, if the gateway writes the ESEARCH response itself.
    var results: SearchResults?
    /// Whether the command requests updates of a search (RFC 5267 §4.3).
    var isUpdating = false
    /// The tag of that search at the server.
    var updatingTag: ByteBuffer?
    /// Whether a FETCH requests message texts; nil for another command.
    var fetchesText: Bool?
    /// Whether RFC822 items were replaced by BODY.PEEK items, so that the responses must be renamed.
    var renamesItems = false

    /// - Parameter segments: the command's segments after the first one, which the caller sends.
    init(_ tagged: TaggedCommand, to account: AccountID, segments: [ByteBuffer]) {
        self.tagged = tagged
        self.account = account
        self.expected = tagged.traits.expected
        self.segments = segments
    }

    var tag: ByteBuffer { self.tagged.tag }

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
        case .untagged(.counts(let status, let folder)):
            guard folder == self.folder, let mailbox = self.mailbox else { return false }
            self.countsReceived(status, of: folder, as: mailbox, in: &context)
        case .untagged(.quotaRoot(var roots)):
            guard let mailbox = self.mailbox else { return false }
            roots.mailbox = mailbox
            context.emit(roots.encoded)
        case .lost(let answer):
            context.finish(self.tag, text: answer)
        case .ready, .untagged:
            return false
        }
        return true
    }

    // MARK: - Responses

    /// Forwards STATUS with the client's mailbox name, if the user may still read the mailbox.
    private func countsReceived(
        _ status: StatusResponse,
        of folder: FolderPath,
        as mailbox: ByteBuffer,
        in context: inout some CommandContext
    ) {
        guard context.mayRead(folder, of: self.account) else { return }
        var status = status
        status.mailbox = mailbox
        if let items = self.statusItems { status.setNoModSeq(in: items) }
        context.emit(status.encoded)
    }

    /// Takes a piece of a SEARCH response.
    ///
    /// - Throws: if the response does not parse.
    func numbersReceived(_ piece: ResponseReader.Piece) throws(SyntaxError) {
        try self.results?.add(piece.octets, isFirst: piece.isFirst)
    }

    /// The server refused updates of a search (NOUPDATE, RFC 5267 §4.3).
    ///
    /// - Parameter upstreamTag: the tag of that search at the server.
    /// - Returns: whether this command is that search.
    func updateRefused(_ upstreamTag: ByteBuffer, in context: inout some CommandContext) -> Bool {
        guard self.updatingTag == upstreamTag else { return false }
        self.updatingTag = nil
        context.emit(Reply.untagged(.noUpdate(tag: self.tag)))
        return true
    }

    /// Whether the client may receive COPYUID.
    func mayShowCopyUID(in context: inout some CommandContext) -> Bool {
        guard case .copied(let folder) = self.outcome else { return false }
        return context.mayRead(folder, of: self.account)
    }

    // MARK: - The end

    /// The server completed the command, or one of ``followUps``.
    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        // Also after an incomplete answer: the server may have executed the command.
        if case .foldersChanged = self.outcome {
            context.upstream(of: self.account)?.foldersChanged()
            context.perform(.foldersChanged(self.account))
        }
        guard !completion.isIncomplete else {
            return context.finish(self.tag, text: .answerUnreadable)
        }
        guard completion.condition == .ok else {
            return self.refused(completion, in: &context)
        }
        if self.tagged.traits.enablesModSeqs {
            context.upstream(of: self.account)?.enabled.insert("CONDSTORE")
        }
        if let folder = self.folder, !context.mayRead(folder, of: self.account) {
            return context.finish(self.tag, text: .noSuchMailbox)
        }
        guard self.followUps.isEmpty else { return self.followUp(in: &context) }
        if let tag = self.updatingTag {
            context.selected?.updating.append((upstream: tag, client: self.tag))
        }
        if let results = self.results {
            guard !results.isOverLimit else {
                return context.finish(self.tag, text: .tooManyResults)
            }
            context.emit(results.response(tag: self.tag))
        }
        var shown = completion.code
        // For MOVE, servers send COPYUID in an untagged OK before EXPUNGE (RFC 6851 §4.3).
        if case .copyUID? = shown, !self.mayShowCopyUID(in: &context) { shown = nil }
        if context.selected?.tellsNoModSeq ?? false, shown?.isOfModSeqs ?? false { shown = nil }
        context.finish(self.tag, text: .completed(self.tagged.traits.name, shown?.forClient))
    }

    /// The server refused the command. TRYCREATE becomes NONEXISTENT if the user may not create the target.
    private func refused(_ completion: Completion, in context: inout some CommandContext) {
        var code = completion.code
        if case .copied(let folder) = self.outcome, case .tryCreate? = code,
            !context.mayCreate(folder, in: self.account)
        {
            code = .nonExistent
        }
        context.finish(self.tag, text: context.refusal(completion.condition, code: code))
    }

    /// Sends the next command, if the user still has the rights that it needs.
    private func followUp(in context: inout some CommandContext) {
        let selected = context.selected
        let rights = selected.map { context.rights(in: $0.folder, of: $0.account) } ?? []
        guard rights.contains(self.followUpRights) else {
            return context.finish(self.tag, text: .notPermitted)
        }
        let next = self.followUps.removeFirst()
        context.upstream(of: self.account)?.inFlight = next.tag
        self.segments = Array(next.segments.dropFirst())
        guard let first = next.segments.first else { return }
        context.send(first, to: self.account)
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        guard isInFlight else { return nil }
        guard account == self.account else { return .prompt }
        return self.tagged.traits.awaited
    }
}
