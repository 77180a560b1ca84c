import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The verdict about a message whose header is complete.
extension SubmissionSession {
    /// Judges a header; a message that may go is announced to the server.
    mutating func judge(_ block: ByteBuffer, rest: ByteBuffer, receiving: Receiving) {
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

    mutating func forward(_ octets: ByteBuffer, receiving: Receiving) {
        guard let profile = self.upstream?.profile else { return }
        if !profile.has("8BITMIME"), octets.readableBytesView.contains(where: { $0 >= 0x80 }) {
            return self.refuseMessage(receiving, reply: .noEightBit)
        }
        guard self.keepCopy(octets, receiving: receiving) else { return }
        guard octets.readableBytes > 0 else { return }
        self.actions.append(.toUpstream(receiving.stuffing.stuff(octets)))
    }

    /// The server takes the message.
    mutating func startStreaming(_ receiving: Receiving) {
        receiving.stage = .streaming
        let pending = receiving.pending
        receiving.pending = []
        for octets in pending where !receiving.isRefused {
            self.forward(octets, receiving: receiving)
        }
        self.continueMessage(receiving)
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
