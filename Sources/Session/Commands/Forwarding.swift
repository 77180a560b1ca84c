import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A command that one server carries out.
final class Forwarding: RunningCommand {
    /// How the answer of the server becomes the client's.
    enum Outcome {
        case plain
        /// COPYUID passes only to who may read the target (RFC 4315 §3); TRYCREATE only to who may
        /// create it.
        case copied(to: FolderPath)
        /// The account has other folders than before.
        case foldersChanged
    }

    /// A whole command for the server, with its tag.
    typealias Encoded = (tag: ByteBuffer, segments: [ByteBuffer])

    /// The client's command.
    let tagged: TaggedCommand
    let account: AccountID
    /// Segments of the command still to be sent, each after a `+`.
    private var segments: [ByteBuffer]
    /// Whole commands still to be sent, each after the one before succeeded.
    var followUps: [Encoded] = []
    /// What they change needs these.
    var followUpRights: Rights = []
    /// Untagged responses that belong to the answer.
    var expected: DataKinds
    var outcome = Outcome.plain
    /// The mailbox as the client spelled it, for responses that repeat it.
    var mailbox: ByteBuffer?
    /// The same mailbox in its account.
    var folder: FolderPath?
    /// What a STATUS asks for, where the gateway adds that there are no mod-sequences.
    var statusItems: [StatusItem]?
    /// The numbers that a search finds, where the gateway writes the ESEARCH response.
    var results: SearchResults?
    /// Whether the server is asked to tell the changes of a search.
    var isUpdating = false
    /// The server's tag of a search whose changes it tells.
    var updatingTag: ByteBuffer?
    /// Whether a FETCH asks for the text of messages; nil for another command.
    var fetchesText: Bool?
    /// Whether RFC822 items were asked as BODY.PEEK items.
    var renamesItems = false

    /// - Parameter segments: of the command, behind the first.
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

    // MARK: - What the server says

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

    /// A piece of a response that holds the numbers of messages that a search found.
    func numbersReceived(_ piece: ResponseReader.Piece) throws(SyntaxError) {
        try self.results?.add(piece.octets, isFirst: piece.isFirst)
    }

    /// The server does not tell the changes of a search.
    ///
    /// - Parameter upstreamTag: of the search.
    /// - Returns: whether it is this one.
    func updateRefused(_ upstreamTag: ByteBuffer, in context: inout some CommandContext) -> Bool {
        guard self.updatingTag == upstreamTag else { return false }
        self.updatingTag = nil
        context.emit(Reply.untagged(.noUpdate(tag: self.tag)))
        return true
    }

    /// Whether the client may know what became of the messages that it copies.
    func mayShowCopyUID(in context: inout some CommandContext) -> Bool {
        guard case .copied(let folder) = self.outcome else { return false }
        return context.mayRead(folder, of: self.account)
    }

    // MARK: - The end

    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        guard !completion.isIncomplete else {
            return context.finish(self.tag, text: .answerUnreadable)
        }
        if case .foldersChanged = self.outcome {
            context.upstream(of: self.account)?.foldersChanged()
            context.perform(.foldersChanged(self.account))
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
        // MOVE gives its COPYUID untagged, before the EXPUNGE (RFC 6851 §4.3).
        if case .copyUID? = shown, !self.mayShowCopyUID(in: &context) { shown = nil }
        if context.selected?.tellsNoModSeq ?? false, shown?.isOfModSeqs ?? false { shown = nil }
        context.finish(self.tag, text: .completed(self.tagged.traits.name, shown?.forClient))
    }

    private func refused(_ completion: Completion, in context: inout some CommandContext) {
        var code = completion.code
        if case .copied(let folder) = self.outcome, case .tryCreate? = code,
            !context.mayCreate(folder, in: self.account)
        {
            code = .nonExistent
        }
        context.finish(self.tag, text: context.refusal(completion.condition, code: code))
    }

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
