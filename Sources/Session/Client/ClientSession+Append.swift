import Access
import IMAP

import struct NIOCore.ByteBuffer

/// An APPEND on its way: the message passes from the client to one server and is never collected.
struct Appending {
    enum Step {
        /// The server is not connected yet.
        case waitingForUpstream
        /// The command is sent up to a literal for which the server has to ask.
        case waitingForContinuation
        /// Octets of the message pass.
        case streaming
        /// The command is complete.
        case waitingForAnswer
    }

    var tag: ByteBuffer
    var account: AccountID
    var folder: FolderPath
    var head: AppendHead
    var literal: CommandReader.MessageLiteral
    var step = Step.waitingForUpstream
    var segments: [ByteBuffer] = []
    /// What is stored already of a command with several messages, at a server that takes one in a command.
    var series = AppendSeries()
    /// The message of the same command that comes behind the one that is being stored.
    var next: FurtherMessage?

    var readsClient: Bool { self.step == .streaming }
}

extension ClientSession {
    /// APPEND announced a message, its first or a further one.
    mutating func messageAnnounced(_ head: ByteBuffer, literal: CommandReader.MessageLiteral) {
        if case .appending(let appending) = self.running {
            return self.furtherMessageAnnounced(appending, head: head, literal: literal)
        }
        self.commandNumber += 1
        switch CommandParser.parseAppendHead(first: head) {
        case .malformed(let tag, let error):
            self.refuseMessage(tag, text: ReplyText(error))
            self.strike()
        case .head(let tag, let head):
            self.append(tag, head: head, literal: literal)
        }
    }

    private mutating func refuseMessage(_ tag: ByteBuffer?, text: ReplyText) {
        self.answer(tag, text: text)
        self.reader.refuseMessage()
        if case .ended = self.running { return }
        self.running = .nothing
    }

    /// Refuses the message that is on its way, and tells what is stored of the same command.
    mutating func refuseMessage(
        of appending: Appending,
        text: ReplyText,
        code: ResponseCode? = nil
    ) {
        self.refuseMessage(appending.tag, text: appending.series.answer(text, code: code))
    }

    private mutating func append(
        _ tag: ByteBuffer,
        head: AppendHead,
        literal: CommandReader.MessageLiteral
    ) {
        guard self.user != nil else { return self.refuseMessage(tag, text: .badState) }
        self.auditBegan(appendTo: head.mailbox)
        switch self.require([.insert, .lookup], on: head.mailbox) {
        case .failure(let refusal):
            self.refuseMessage(
                tag,
                text: self.isEmptyInbox(head.mailbox) ? .notPermitted : refusal.text
            )
        case .success(let (account, folder, _)):
            self.appendUpstreamReady(
                Appending(
                    tag: tag,
                    account: account,
                    folder: folder,
                    head: head,
                    literal: literal
                )
            )
        }
    }

    /// Begins the command at the server, or goes on waiting for it.
    mutating func appendUpstreamReady(_ appending: Appending) {
        guard appending.step == .waitingForUpstream else { return }
        let account = appending.account
        self.running = .appending(appending)
        guard let upstream = self.upstreams[account] else { return self.open(account) }
        guard upstream.state == .ready, upstream.inFlight == nil else { return }
        switch self.exists(appending.folder, in: account) {
        case .some(true): break
        case .some(false):
            let refusal = self.missingTarget(appending.folder, in: account)
            return self.refuseMessage(of: appending, text: refusal)
        case .none:
            guard !self.requestFolders(of: account) else { return }
            return self.refuseMessage(of: appending, text: .unavailable)
        }
        guard let name = upstream.names.name(of: appending.folder) else {
            return self.refuseMessage(of: appending, text: .noSuchMailbox)
        }
        guard !appending.literal.isLiteral8 || upstream.profile.has("BINARY") else {
            return self.refuseMessage(of: appending, text: .lacking("BINARY"))
        }
        // Rights are looked at again: the connection may have taken its time.
        let rights = self.rights(in: appending.folder, of: account)
        guard rights.contains([.insert, .lookup]) else {
            return self.refuseMessage(of: appending, text: .noSuchMailbox)
        }
        var encoder = self.encoder(for: account)
        appending.head.encode(
            into: &encoder,
            mailbox: name,
            flags: Flags.permitted(appending.head.flags, rights: rights),
            literal: appending.literal
        )
        self.begin(appending, segments: encoder.finishWithoutLineEnd())
    }

    /// Sends the first of the segments that lead to a message's octets.
    private mutating func begin(_ appending: Appending, segments: [ByteBuffer]) {
        var appending = appending
        appending.segments = segments
        appending.step = .waitingForContinuation
        self.running = .appending(appending)
        self.sendAppendSegment(appending)
    }

    /// Sends a segment; behind the last one of a server that needs no `+` the message follows.
    private mutating func sendAppendSegment(_ appending: Appending) {
        var appending = appending
        guard !appending.segments.isEmpty else { return self.stream(appending) }
        self.actions.append(.toUpstream(appending.account, appending.segments.removeFirst()))
        self.running = .appending(appending)
        let literals = self.upstreams[appending.account]?.profile.literals
        if appending.segments.isEmpty, literals == .nonSynchronizing { self.stream(appending) }
    }

    private mutating func stream(_ appending: Appending) {
        var appending = appending
        appending.step = .streaming
        self.running = .appending(appending)
        if appending.literal.isSynchronizing { self.emit(Reply.continuation(.literal)) }
        self.reader.acceptMessage()
        self.readClient()
    }

    mutating func appendContinued(_ appending: Appending) throws(SyntaxError) {
        guard appending.step == .waitingForContinuation else {
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
        self.sendAppendSegment(appending)
    }

    mutating func messageOctetsReceived(_ octets: ByteBuffer) {
        guard case .appending(let appending) = self.running else { return }
        self.actions.append(.toUpstream(appending.account, octets))
    }

    /// MULTIAPPEND (RFC 3502): another message in the same command.
    private mutating func furtherMessageAnnounced(
        _ appending: Appending,
        head: ByteBuffer,
        literal: CommandReader.MessageLiteral
    ) {
        var next = appending
        next.literal = literal
        guard let further = try? CommandParser.parseAppendContinuation(head) else {
            return self.abandonAppend(appending, text: .badSyntax)
        }
        guard let profile = self.upstreams[appending.account]?.profile else {
            return self.abandonAppend(appending, text: .unavailable)
        }
        guard !literal.isLiteral8 || profile.has("BINARY") else {
            return self.abandonAppend(appending, text: .lacking("BINARY"))
        }
        guard profile.has("MULTIAPPEND") else {
            return self.endMessage(
                of: appending,
                before: FurtherMessage(head: further, literal: literal)
            )
        }
        var encoder = CommandEncoder(continuing: profile.literals)
        further.encodeFurther(
            into: &encoder,
            flags: Flags.permitted(
                further.flags,
                rights: self.rights(in: appending.folder, of: appending.account)
            ),
            literal: literal
        )
        self.begin(next, segments: encoder.finishWithoutLineEnd())
    }

    /// The octets of the command are all there: it is completed, unless something stood behind
    /// the message that does not belong there.
    mutating func appendEnded(_ rest: ByteBuffer) {
        guard case .appending(let appending) = self.running else { return }
        guard rest.readableBytesView.allSatisfy({ $0 == UInt8(ascii: " ") }) else {
            self.running = .nothing
            self.dropUnfinished(appending)
            return self.answer(appending.tag, text: .badSyntax)
        }
        self.endMessage(of: appending, before: nil)
    }

    mutating func appendCompleted(
        _ appending: Appending,
        condition: Condition,
        code: ResponseCode?
    ) {
        switch appending.step {
        case .waitingForUpstream:
            break
        case .waitingForContinuation:
            self.refuseMessage(of: appending, text: self.refusal(condition, code: code), code: code)
        case .streaming:
            // The server may read the rest of the message as commands: the connection is of no use.
            self.dropUnfinished(appending)
            let refusal = condition == .ok ? .unavailable : self.refusal(condition, code: code)
            self.appendUpstreamLost(appending, answer: refusal)
        case .waitingForAnswer:
            self.messageAnswered(appending, condition: condition, code: code)
        }
    }

    /// Ends an APPEND so that its server cannot store what came so far.
    mutating func abandonAppend(_ appending: Appending, text: ReplyText) {
        self.dropUnfinished(appending)
        self.refuseMessage(of: appending, text: text)
    }

    private mutating func dropUnfinished(_ appending: Appending) {
        if self.selected?.account == appending.account {
            self.selected = nil
            self.emit(Reply.untagged(.closed))
        }
        self.drop(appending.account)
    }

    /// The server was lost: the client's message is read away and refused.
    mutating func appendUpstreamLost(_ appending: Appending, answer: ReplyText) {
        switch appending.step {
        case .waitingForUpstream, .waitingForContinuation:
            self.refuseMessage(of: appending, text: answer)
        case .streaming:
            self.reader.refuseMessage()
            self.finish(appending.tag, text: appending.series.answer(answer, code: nil))
        case .waitingForAnswer where appending.next != nil:
            self.refuseMessage(of: appending, text: answer)
        case .waitingForAnswer:
            self.finish(appending.tag, text: appending.series.answer(answer, code: nil))
        }
    }
}
