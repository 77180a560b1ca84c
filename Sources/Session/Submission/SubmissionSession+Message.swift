import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The message: held until its header is judged, then streamed (RFC 5321 §4.1.1.4, RFC 3030).
extension SubmissionSession {
    mutating func data() {
        self.checkTransaction()
        guard let transaction = self.transaction else {
            return self.refuse(self.brokenReply ?? .noSender)
        }
        guard transaction.chunks == nil else { return self.refuse(.badSequence) }
        guard !transaction.recipients.isEmpty else { return self.refuse(.noRecipients) }
        self.running = .receiving(Receiving(.dotted))
        self.reply(.startMessage)
    }

    /// The octets of a chunk are read whatever becomes of it; they are never commands.
    mutating func bdat(_ count: UInt64, isLast: Bool) {
        guard count <= self.settings.maximumMessageOctets else { return self.end(.tooLarge) }
        self.checkTransaction()
        let receiving = self.transaction?.chunks ?? Receiving(.chunked)
        receiving.chunk = (count, isLast)
        self.running = .receiving(receiving)
        if self.transaction == nil {
            receiving.stage = .discarding(self.brokenReply ?? .noSender)
        } else if self.transaction?.recipients.isEmpty ?? true {
            receiving.stage = .discarding(.noRecipients)
        }
        self.transaction?.chunks = receiving
        if count == 0 { self.readMessage(receiving) }
    }

    /// Takes the next piece of what the client has sent.
    mutating func readMessage(_ receiving: Receiving) {
        let piece: MessageStream.Piece?
        let waiting = self.input.readableBytes
        if let chunk = receiving.chunk {
            let length = Int(min(chunk.rest, UInt64(self.input.readableBytes)))
            var part =
                self.input.getSlice(at: self.input.readerIndex, length: length) ?? ByteBuffer()
            piece = receiving.stream.next(&part)
            let taken = length - part.readableBytes
            self.input.moveReaderIndex(forwardBy: taken)
            receiving.chunk?.rest -= UInt64(taken)
        } else {
            piece = receiving.stream.next(&self.input)
        }
        self.messageOctets += UInt64(waiting - self.input.readableBytes)
        switch piece {
        case .octets(let octets): self.messageOctetsReceived(octets, receiving: receiving)
        case .end: receiving.isComplete = true
        case .none: break
        }
        if receiving.stream.isBroken { self.refuseMessage(receiving, reply: .bareLineEnd) }
        self.continueMessage(receiving)
    }

    private mutating func messageOctetsReceived(_ octets: ByteBuffer, receiving: Receiving) {
        guard receiving.stream.count <= self.settings.maximumMessageOctets else {
            return self.refuseMessage(receiving, reply: .tooLarge)
        }
        switch receiving.stage {
        case .header:
            do {
                guard let (header, rest) = try receiving.collector.receive(octets) else { return }
                self.judge(header, rest: rest, receiving: receiving)
            } catch {
                self.refuseMessage(receiving, reply: SubmissionReply(error))
            }
        case .streaming:
            self.forward(octets, receiving: receiving)
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy, .discarding:
            break
        }
    }

    /// Looks whether the chunk or the message has ended, and does what is due then.
    private mutating func continueMessage(_ receiving: Receiving) {
        guard case .receiving = self.running, !receiving.awaitsUpstream else { return }
        if let chunk = receiving.chunk, chunk.rest == 0 {
            guard chunk.isLast || receiving.isRefused else {
                self.running = .nothing
                return self.reply(.chunkReceived)
            }
            receiving.isComplete = true
        }
        if receiving.isComplete { self.messageCompleted(receiving) }
    }

    /// The client has sent all it will.
    private mutating func messageCompleted(_ receiving: Receiving) {
        switch receiving.stage {
        case .header:
            // No empty line: the message is all header.
            self.judge(receiving.collector.end(), rest: ByteBuffer(), receiving: receiving)
            self.continueMessage(receiving)
        case .streaming:
            self.checkTransaction()
            if !receiving.stream.isAtLineStart {
                self.refuseMessage(receiving, reply: .unfinishedLine)
            }
            guard !receiving.isRefused else { return self.continueMessage(receiving) }
            guard !receiving.copies.isEmpty else { return self.completeMessage(receiving) }
            receiving.stage = .keepingCopy
            self.actions.append(.syncCopy(self.transactions))
        case .discarding(let reply):
            let wasChunk = receiving.chunk.map { !$0.isLast } ?? false
            self.fail(reply)
            if !wasChunk { self.brokenReply = nil }
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy:
            break
        }
    }

    mutating func completeMessage(_ receiving: Receiving) {
        receiving.stage = .verdict
        self.actions.append(.toUpstream(ByteBuffer(staticString: ".\r\n")))
    }

    /// Nothing of the message is sent, or what was sent is taken back by closing.
    mutating func refuseMessage(_ receiving: Receiving, reply: SubmissionReply) {
        guard !receiving.isRefused else { return }
        if receiving.isUnderWay { self.dropUpstream() }
        self.dropCopy(receiving)
        let waited = receiving.awaitsUpstream
        receiving.pending = []
        receiving.collector = HeaderCollector()
        receiving.stage = .discarding(reply)
        if waited { self.continueMessage(receiving) }
    }

    // MARK: - The verdict

    /// Judges a header; a message that may go is announced to the server.
    private mutating func judge(_ block: ByteBuffer, rest: ByteBuffer, receiving: Receiving) {
        guard let transaction = self.transaction, let user = self.user else {
            return self.refuseMessage(receiving, reply: .noSender)
        }
        let found: Authors
        let authors: MessageAuthors
        do {
            let header = try Header(block)
            found = try Authors(
                header,
                isInternational: transaction.mail.isInternational,
                own: self.snapshot.ownAddresses(of: user).map(\.octets)
            )
            authors = MessageAuthors(found, reversePath: transaction.reversePath)
            receiving.messageID = header.messageID.map { ByteBuffer(bytes: $0) }
        } catch {
            return self.refuseMessage(receiving, reply: SubmissionReply(error))
        }
        switch self.snapshot.sending(authors, by: user, at: self.now) {
        case .refused(let refusal):
            self.auditRefused(SubmissionReply.Refused(refusal), authors: authors)
            self.refuseMessage(receiving, reply: .notPermitted(SubmissionReply.Refused(refusal)))
        case .accepted(let route, let signature):
            guard self.counter.addMessage(user, at: self.now) else {
                return self.refuseMessage(receiving, reply: .tooManyMessages)
            }
            receiving.pending += self.signed(block, authors: found, signature: signature) + [rest]
            self.admit(receiving, authors: authors, route: route)
        }
    }

    /// The header as it goes to the server, and what it then shows of who sends.
    private mutating func signed(
        _ block: ByteBuffer,
        authors: Authors,
        signature: Signature?
    ) -> [ByteBuffer] {
        let own = signature ?? self.user.flatMap(self.snapshot.signature)
        guard let own else { return [block] }
        let field = SignatureField(own)
        guard signature != nil else {
            if authors.isSigned(by: field) { self.transaction?.signature = own }
            return [block]
        }
        self.transaction?.signature = own
        return authors.signed(block, by: field)
    }

    /// A message may go: what becomes of it is kept, and its server is asked to take it.
    private mutating func admit(
        _ receiving: Receiving,
        authors: MessageAuthors,
        route: AccountID
    ) {
        guard let transaction = self.transaction, let user = self.user else { return }
        self.transaction?.authors = authors
        let audited = self.auditEvents(of: authors, recipients: transaction.recipients.count)
        self.transaction?.audited = audited
        receiving.copies = self.snapshot.sentCopies(
            of: authors,
            by: user,
            through: transaction.route ?? route
        )
        guard self.reserveCopies(receiving) else { return }
        if transaction.route == nil {
            self.transaction?.route = route
            self.beginEnvelope(receiving, route: route)
        } else {
            receiving.stage = .data
            self.send("DATA")
        }
    }

    private mutating func forward(_ octets: ByteBuffer, receiving: Receiving) {
        guard let profile = self.upstream?.profile else { return }
        if !profile.has("8BITMIME"), octets.readableBytesView.contains(where: { $0 >= 0x80 }) {
            return self.refuseMessage(receiving, reply: .noEightBit)
        }
        guard self.keepCopy(octets, receiving: receiving) else { return }
        guard octets.readableBytes > 0 else { return }
        self.actions.append(.toUpstream(receiving.stuffing.stuff(octets)))
    }

    /// The server takes the message.
    private mutating func startStreaming(_ receiving: Receiving) {
        receiving.stage = .streaming
        let pending = receiving.pending
        receiving.pending = []
        for octets in pending where !receiving.isRefused {
            self.forward(octets, receiving: receiving)
        }
        self.continueMessage(receiving)
    }

    // MARK: - The null reverse-path, whose way out From names

    private mutating func beginEnvelope(_ receiving: Receiving, route: AccountID) {
        receiving.stage = .envelope(told: 0)
        guard let upstream = self.upstream, upstream.account == route, upstream.profile != nil,
            !upstream.isDirty, !upstream.isOutdated
        else { return self.openUpstream(route) }
        self.envelopeConnected(receiving)
    }

    mutating func envelopeConnected(_ receiving: Receiving) {
        guard let transaction = self.transaction, let profile = self.upstream?.profile else {
            return self.refuseMessage(receiving, reply: .unavailable)
        }
        let needsDSN = transaction.recipients.contains(where: \.usesDSN)
        if needsDSN, !profile.has("DSN") { return self.refuseMessage(receiving, reply: .noDSN) }
        if let reply = Self.cannotCarry(transaction.mail, profile: profile) {
            return self.refuseMessage(receiving, reply: reply)
        }
        self.actions.append(.toUpstream(self.encoded(transaction.mail, profile: profile)))
    }

    // MARK: - Answers of the server

    mutating func replyReceivedWhileReceiving(_ reply: ServerReply, receiving: Receiving) {
        switch receiving.stage {
        case .envelope(let told):
            self.envelopeReplyReceived(reply, receiving: receiving, told: told)
        case .data:
            if reply.code == 354 { return self.startStreaming(receiving) }
            // The server did not begin to take the message, and so can stay.
            receiving.stage = .envelope(told: 0)
            self.refuseMessage(receiving, reply: self.passed(reply, expectsSuccess: false))
        case .verdict:
            self.verdictReceived(reply, receiving: receiving)
        case .header, .streaming, .keepingCopy, .filingCopy, .discarding:
            // Nothing was asked: whatever this is, the server is out of step.
            self.upstreamLost(.unavailable)
        }
    }

    private mutating func verdictReceived(_ reply: ServerReply, receiving: Receiving) {
        if reply.isPositive {
            self.auditSent(self.transaction, isConfirmed: true)
            self.upstream?.isDirty = false
        } else {
            self.dropCopy(receiving)
        }
        self.transaction = nil
        let passed = self.passed(reply, expectsSuccess: true)
        guard receiving.copies.isEmpty else { return self.fileCopy(receiving, reply: passed) }
        self.messageEnded(passed)
    }

    /// The client is told what became of its message.
    mutating func messageEnded(_ reply: SubmissionReply) {
        self.running = .nothing
        self.reply(reply)
        if self.endsAfterVerdict { self.end(.closing) }
    }

    private mutating func envelopeReplyReceived(
        _ reply: ServerReply,
        receiving: Receiving,
        told: Int
    ) {
        self.upstream?.isDirty = true
        guard reply.isPositive, let recipients = self.transaction?.recipients else {
            return self.refuseMessage(receiving, reply: self.passed(reply, expectsSuccess: false))
        }
        if told < recipients.count {
            receiving.stage = .envelope(told: told + 1)
            self.actions.append(.toUpstream(Self.encoded(recipients[told])))
        } else {
            receiving.stage = .data
            self.send("DATA")
        }
    }
}

extension MessageAuthors {
    init(_ authors: Authors, reversePath: ClaimedAddress?) {
        self.init(
            reversePath: reversePath,
            from: authors.from.map { ClaimedAddress($0.address) },
            sender: authors.sender.map { ClaimedAddress($0.address) },
            resent: authors.resent.map { ClaimedAddress($0.address) }
        )
    }
}

extension SignatureField {
    init(_ signature: Signature) {
        self.init(address: signature.address.octets, name: signature.name)
    }
}

extension SubmissionReply {
    init(_ fault: Header.Fault) {
        self =
            switch fault {
            case .tooLarge: .headerTooLarge
            case .malformedLine: .malformedHeader
            case .repeated(let name): .repeatedField(name)
            case .malformedAddress(let name, let fault): .malformedAddress(name, fault)
            case .missingFrom: .missingFrom
            }
    }
}
