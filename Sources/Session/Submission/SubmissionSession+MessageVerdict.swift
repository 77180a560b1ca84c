import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The permission check of a message whose header is complete.
extension SubmissionSession {
    /// Checks the authors in a header against the permissions in force, and offers a permitted message to the server.
    ///
    /// - Parameters:
    ///   - block: the header.
    ///   - rest: octets of the body that arrived with the end of the header.
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

    /// The header for the server. Adds a Sender field if the user sends on behalf of the author, and remembers the
    /// signature that the header shows.
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

    /// A message is permitted: stores its authors, audit records and copies in the transaction, and offers it to the
    /// server.
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
        receiving.requiresCopies = self.snapshot.requiresSentCopy(of: authors, by: user)
        guard self.reserveCopies(receiving) else { return }
        if transaction.route == nil {
            self.transaction?.route = route
            self.beginEnvelope(receiving, route: route)
        } else {
            self.beginData(receiving)
        }
    }

    /// Sends octets of the message to the server, with dots stuffed, and appends them to the copy.
    ///
    /// - Parameter isPiece: whether the octets are one piece of a message in DATA, which needs no search for dots.
    mutating func forward(_ octets: ByteBuffer, receiving: Receiving, isPiece: Bool = false) {
        guard let profile = self.upstream?.profile else { return }
        if !profile.has("8BITMIME"), octets.readableBytesView.contains(where: { $0 >= 0x80 }) {
            return self.refuseMessage(receiving, reply: .noEightBit)
        }
        guard self.keepCopy(octets, receiving: receiving) else { return }
        guard octets.readableBytes > 0 else { return }
        let stuffed =
            isPiece ? receiving.stuffing.stuff(piece: octets) : receiving.stuffing.stuff(octets)
        self.actions.append(.toUpstream(stuffed))
    }

    /// The server accepted DATA (354): sends the buffered octets.
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
    /// The addresses that a message claims: reverse-path, From, Sender and Resent fields.
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
    /// The field that shows a user as the sender of a message on behalf of another.
    init(_ signature: Signature) {
        self.init(address: signature.address.octets, name: signature.name)
    }
}

extension SubmissionReply {
    /// The reply to a header that does not parse.
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
