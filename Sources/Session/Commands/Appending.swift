import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running APPEND (RFC 9051 §6.3.12). Its messages are streamed from the client to one server, never collected.
final class Appending: RunningCommand {
    private enum Step {
        /// The server is not connected yet, or has not listed its folders yet.
        case waitingForUpstream
        /// The command was sent up to a literal, and the server must ask for its octets.
        case waitingForContinuation
        /// The octets of the message are streamed.
        case streaming
        /// The command was sent completely.
        case waitingForAnswer
    }

    /// A message of the command, as the client announced it.
    struct Message {
        var head: AppendHead
        var literal: CommandReader.MessageLiteral
    }

    /// The account that stores the messages.
    let account: AccountID
    private let tag: ByteBuffer
    /// The target mailbox.
    private let folder: FolderPath
    /// The message that is being stored.
    private var message: Message
    private var step = Step.waitingForUpstream
    /// Remaining segments before the message, each sent after a continuation request.
    private var segments: [ByteBuffer] = []
    /// The messages stored so far, at a server without MULTIAPPEND.
    private var series = AppendSeries()
    /// The next message of the client's command, while the server stores the one before.
    private var next: Message?

    init(tag: ByteBuffer, message: Message, to folder: FolderPath, in account: AccountID) {
        self.tag = tag
        self.message = message
        self.folder = folder
        self.account = account
    }

    /// Whether the session should read from the client (back-pressure).
    var readsClient: Bool { self.step == .streaming }

    // MARK: - The server

    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        guard account == self.account else { return false }
        switch event {
        case .continued:
            guard self.step == .waitingForContinuation else { return false }
            self.sendSegment(in: &context)
        case .completed(let completion):
            // The server completed a command that it got before.
            guard self.step != .waitingForUpstream else { return false }
            self.completed(completion, in: &context)
        case .ready:
            self.upstreamReady(in: &context)
        case .lost(let answer):
            self.upstreamLost(answer: answer, in: &context)
        case .untagged:
            return false
        }
        return true
    }

    /// Checks folder and rights, then sends the command to the server. Keeps waiting if the server is not ready.
    func upstreamReady(in context: inout some CommandContext) {
        guard self.step == .waitingForUpstream else { return }
        guard let upstream = context.upstream(of: self.account) else {
            return context.open(self.account)
        }
        guard upstream.isIdle else { return }
        switch context.exists(self.folder, as: .listed, in: self.account) {
        case .some(true): break
        case .some(false):
            return self.refuse(context.missingTarget(self.folder, in: self.account), in: &context)
        case .none:
            guard !context.requestFolders(of: self.account) else { return }
            return self.refuse(.unavailable, in: &context)
        }
        guard let name = upstream.names.name(of: self.folder) else {
            return self.refuse(.noSuchMailbox, in: &context)
        }
        guard !self.message.literal.isLiteral8 || upstream.profile.has("BINARY") else {
            return self.refuse(.lacking("BINARY"), in: &context)
        }
        // The rights are checked again, because they may have ended while the connection was opened.
        let rights = context.rights(in: self.folder, of: self.account)
        guard rights.contains([.insert, .lookup]) else {
            return self.refuse(.noSuchMailbox, in: &context)
        }
        var encoder = context.encoder(for: self.account)
        self.message.head.encode(
            into: &encoder,
            mailbox: name,
            flags: Flags.permitted(self.message.head.flags, rights: rights),
            literal: self.message.literal
        )
        self.send(encoder, in: &context)
    }

    /// Sends the first of the segments before a message.
    private func send(_ encoder: CommandEncoder, in context: inout some CommandContext) {
        var encoder = encoder
        self.segments = encoder.finishWithoutLineEnd()
        self.step = .waitingForContinuation
        self.sendSegment(in: &context)
    }

    /// Sends the next segment, or begins the message after the last one. The message itself always waits for the
    /// server, which may refuse it instead.
    private func sendSegment(in context: inout some CommandContext) {
        guard !self.segments.isEmpty else { return self.stream(in: &context) }
        context.send(self.segments.removeFirst(), to: self.account)
    }

    /// Asks the client for the octets of the message.
    private func stream(in context: inout some CommandContext) {
        self.step = .streaming
        if self.message.literal.isSynchronizing { context.emit(Reply.continuation(.literal)) }
        context.reader.acceptMessage()
        context.readClient()
    }

    /// The server completed APPEND: after its end, or early, because it refuses the rest.
    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        switch self.step {
        case .waitingForUpstream:
            break
        case .waitingForContinuation:
            // A refusal comes instead of the request for the octets. After OK, it is unclear what the server expects.
            guard completion.condition != .ok, !completion.isIncomplete else {
                self.dropUnfinished(in: &context)
                return self.upstreamLost(answer: .unavailable, in: &context)
            }
            self.refuse(context.refusal(completion), code: completion.code, in: &context)
        case .streaming:
            // The server could execute the rest of the message as commands, so the connection is closed.
            self.dropUnfinished(in: &context)
            let isEarly = completion.condition == .ok
            self.upstreamLost(
                answer: isEarly ? .unavailable : context.refusal(completion),
                in: &context
            )
        case .waitingForAnswer:
            self.answered(completion, in: &context)
        }
    }

    /// The server completed a whole APPEND: answers the client, or begins the next message.
    private func answered(_ completion: Completion, in context: inout some CommandContext) {
        guard completion.condition == .ok else {
            let (refusal, code) = (context.refusal(completion), completion.code)
            guard self.next == nil else { return self.refuse(refusal, code: code, in: &context) }
            return context.finish(self.tag, text: self.series.answer(refusal, code: code))
        }
        self.series.stored(completion.code)
        guard let next = self.next else {
            let shown = self.series.count == 1 ? completion.code : self.series.code
            let mayRead = context.rights(in: self.folder, of: self.account).contains(.read)
            return context.finish(
                self.tag,
                text: .completed("APPEND", mayRead ? shown?.forClient : nil)
            )
        }
        self.next = nil
        self.message.head.flags = next.head.flags
        self.message.head.date = next.head.date
        self.message.literal = next.literal
        self.step = .waitingForUpstream
        self.upstreamReady(in: &context)
    }

    /// The connection is lost: refuses the command, and discards what the client still sends of it.
    private func upstreamLost(answer: ReplyText, in context: inout some CommandContext) {
        switch self.step {
        case .waitingForUpstream, .waitingForContinuation:
            self.refuse(answer, in: &context)
        case .streaming:
            context.reader.refuseMessage()
            context.finish(self.tag, text: self.series.answer(answer, code: nil))
        case .waitingForAnswer where self.next != nil:
            self.refuse(answer, in: &context)
        case .waitingForAnswer:
            context.finish(self.tag, text: self.series.answer(answer, code: nil))
        }
    }

    // MARK: - The client

    /// Streams octets of the message to the server.
    func octetsReceived(_ octets: ByteBuffer, in context: inout some CommandContext) {
        context.send(octets, to: self.account)
    }

    /// The client announced another message in the same command (RFC 3502).
    ///
    /// - Parameter head: the flags and the date of that message.
    func furtherMessageAnnounced(
        _ head: ByteBuffer,
        literal: CommandReader.MessageLiteral,
        in context: inout some CommandContext
    ) {
        guard let further = try? CommandParser.parseAppendContinuation(head) else {
            return self.abandon(.badSyntax, in: &context)
        }
        guard let profile = context.upstream(of: self.account)?.profile else {
            return self.abandon(.unavailable, in: &context)
        }
        guard !literal.isLiteral8 || profile.has("BINARY") else {
            return self.abandon(.lacking("BINARY"), in: &context)
        }
        guard profile.has("MULTIAPPEND") else {
            return self.end(before: Message(head: further, literal: literal), in: &context)
        }
        let rights = context.rights(in: self.folder, of: self.account)
        var encoder = CommandEncoder(continuing: profile.literals)
        further.encodeFurther(
            into: &encoder,
            flags: Flags.permitted(further.flags, rights: rights),
            literal: literal
        )
        self.message.literal = literal
        self.send(encoder, in: &context)
    }

    /// The client's command is complete. Octets other than spaces after the last message are a syntax error; the
    /// command is then not completed at the server, so it stores nothing of it.
    ///
    /// - Parameter rest: the octets after the last message, without the line end.
    func ended(_ rest: ByteBuffer, in context: inout some CommandContext) {
        guard rest.readableBytesView.allSatisfy({ $0 == UInt8(ascii: " ") }) else {
            context.leaveCommand()
            self.dropUnfinished(in: &context)
            // Messages before this one may be stored: the record and the answer say so.
            return context.finish(self.tag, text: self.series.answer(.badSyntax, code: nil))
        }
        self.end(before: nil, in: &context)
    }

    /// Completes the command at the server.
    ///
    /// - Parameter next: the next message of the client's command, if it needs an APPEND of its own.
    private func end(before next: Message?, in context: inout some CommandContext) {
        context.send(ByteBuffer(string: "\r\n"), to: self.account)
        self.step = .waitingForAnswer
        self.next = next
    }

    // MARK: - The end

    /// Ends an incomplete APPEND. The connection is closed, so that the server stores nothing of it.
    func abandon(_ text: ReplyText, in context: inout some CommandContext) {
        self.dropUnfinished(in: &context)
        self.refuse(text, in: &context)
    }

    /// Refuses the message that the client is sending, and reports how many messages of the command are stored.
    private func refuse(
        _ text: ReplyText,
        code: ResponseCode? = nil,
        in context: inout some CommandContext
    ) {
        context.finish(self.tag, text: self.series.answer(text, code: code))
        context.reader.refuseMessage()
    }

    /// Closes the connection within an incomplete command. If it has the selected mailbox, the client gets CLOSED.
    private func dropUnfinished(in context: inout some CommandContext) {
        if context.selected?.account == self.account {
            context.selected = nil
            context.emit(Reply.untagged(.closed))
        }
        context.drop(self.account)
    }

    /// Storing a message needs the rights `i` and `l` in the mailbox until the server has answered.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        guard account == self.account else { return false }
        return !context.rights(in: self.folder, of: account).contains([.insert, .lookup])
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        guard isInFlight else { return nil }
        guard account == self.account else { return .prompt }
        switch self.step {
        case .waitingForUpstream, .waitingForContinuation: return .prompt
        case .streaming: return .message
        case .waitingForAnswer: return .work
        }
    }
}
