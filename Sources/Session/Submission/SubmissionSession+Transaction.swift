import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The envelope (RFC 5321 §3.3).
extension SubmissionSession {
    /// Executes MAIL. With a reverse-path, checks the permission and asks that account's server at once. With the null
    /// reverse-path, the header decides later which account's server is used.
    mutating func mail(_ mail: Mail) {
        guard self.hasGreeted, self.transaction == nil, let user = self.user else {
            return self.refuse(.badSequence)
        }
        self.brokenReply = nil
        if let size = mail.size, size > self.settings.maximumMessageOctets {
            return self.reply(.tooLarge)
        }
        guard self.counter.mayBegin(user, at: self.now) else {
            return self.reply(.tooManyMessages)
        }
        var transaction = Transaction(mail: mail)
        self.transactions += 1
        self.messageOctets = 0
        guard let reversePath = transaction.reversePath else {
            self.transaction = transaction
            return self.reply(.senderAccepted)
        }
        guard let found = self.snapshot.send(as: reversePath, by: user, at: self.now) else {
            self.auditRefused(
                .reversePath,
                authors: MessageAuthors(reversePath: reversePath, from: [])
            )
            return self.reply(.notPermitted(.reversePath))
        }
        transaction.route = found.account
        self.transaction = transaction
        self.connect(to: found.account)
    }

    /// Prepares the submission server of an account for MAIL: reuses the connection, after RSET if needed, or opens
    /// a new one.
    private mutating func connect(to account: AccountID) {
        if let upstream = self.upstream, upstream.account == account, upstream.profile != nil,
            !upstream.isOutdated
        {
            guard upstream.isDirty else { return self.sendMail() }
            self.upstream?.isDirty = false
            self.running = .awaiting(.reset)
            return self.send("RSET")
        }
        self.running = .awaiting(.connection)
        self.openUpstream(account)
    }

    /// Replaces the connection by a new one to an account's server.
    mutating func openUpstream(_ account: AccountID) {
        self.dropUpstream()
        self.upstream = SubmissionUpstream(account: account)
        self.actions.append(.openUpstream(account))
    }

    /// Sends MAIL in a canonical form, which every parser reads alike.
    mutating func sendMail() {
        guard let mail = self.transaction?.mail, let profile = self.upstream?.profile else {
            return self.fail(.unavailable)
        }
        if let reply = Self.cannotCarry(mail, profile: profile) { return self.fail(reply) }
        self.sendAwaited(.mail, line: self.encoded(mail, profile: profile))
    }

    /// The refusal if a server lacks an extension that MAIL needs; nil if it has all of them.
    static func cannotCarry(_ mail: Mail, profile: SubmissionProfile) -> SubmissionReply? {
        if mail.isInternational, !profile.has("SMTPUTF8") { return .noInternational }
        if mail.usesDSN, !profile.has("DSN") { return .noDSN }
        return nil
    }

    /// `MAIL FROM:<a@x.example> SIZE=1000 BODY=8BITMIME`, with only the parameters that the server supports.
    func encoded(_ mail: Mail, profile: SubmissionProfile) -> ByteBuffer {
        var line = ByteBuffer(staticString: "MAIL FROM:")
        line.writeBytes(mail.path?.encoded ?? Array("<>".utf8))
        if let size = mail.size, profile.has("SIZE") {
            line.writeString(" SIZE=\(size + self.signatureOctets)")
        }
        if mail.body == .eightBit, profile.has("8BITMIME") {
            line.writeStaticString(" BODY=8BITMIME")
        }
        if mail.isInternational { line.writeStaticString(" SMTPUTF8") }
        switch mail.returns {
        case .full: line.writeStaticString(" RET=FULL")
        case .headers: line.writeStaticString(" RET=HDRS")
        case .none: break
        }
        if let envelopeID = mail.envelopeID {
            line.writeStaticString(" ENVID=")
            line.writeBytes(envelopeID)
        }
        line.writeStaticString("\r\n")
        return line
    }

    /// The most octets that the gateway's Sender field adds to a message that is sent on behalf.
    private var signatureOctets: UInt64 {
        guard let transaction = self.transaction, let user = self.user,
            let own = self.snapshot.signature(of: user)
        else { return 0 }
        let right = transaction.reversePath.flatMap {
            self.snapshot.send(as: $0, by: user, at: self.now)?.right
        }
        guard right == .onBehalf || transaction.signature != nil else { return 0 }
        return UInt64(SignatureField(own).encoded(.sender).count)
    }

    /// `RCPT TO:<b@x.example> NOTIFY=NEVER`
    static func encoded(_ recipient: Recipient) -> ByteBuffer {
        var line = ByteBuffer(staticString: "RCPT TO:")
        line.writeBytes(recipient.path.encoded)
        if let notify = recipient.notify { line.writeString(" NOTIFY=\(notify)") }
        if let original = recipient.original {
            line.writeStaticString(" ORCPT=")
            line.writeBytes(original)
        }
        line.writeStaticString("\r\n")
        return line
    }

    /// Executes RCPT. Each recipient counts against the hourly limit, even if the server refuses it. With the
    /// null reverse-path, recipients are accepted here and sent to the server after the header check.
    mutating func rcpt(_ recipient: Recipient) {
        self.checkTransaction()
        guard let transaction = self.transaction, let user = self.user else {
            return self.refuse(self.brokenReply ?? .noSender)
        }
        guard transaction.chunks == nil else { return self.refuse(.badSequence) }
        guard transaction.mail.isInternational || !recipient.path.isInternational else {
            return self.refuse(.malformedPath)
        }
        guard transaction.recipients.count < self.counter.limits.recipientsPerMessage else {
            return self.reply(.tooManyRecipients)
        }
        guard self.counter.addRecipient(user, at: self.now) else {
            return self.reply(.tooManyRecipientsPerHour)
        }
        guard transaction.route != nil else {
            self.transaction?.recipients.append(recipient)
            return self.reply(.recipientAccepted)
        }
        guard let profile = self.upstream?.profile else { return self.fail(.unavailable) }
        guard !recipient.usesDSN || profile.has("DSN") else { return self.reply(.noDSN) }
        self.sendAwaited(
            .rcpt(recipient, countedAt: self.now),
            line: Self.encoded(recipient)
        )
    }

    /// Executes RSET. The server gets RSET only before its next MAIL.
    mutating func reset() {
        self.abandonTransaction()
        self.reply(.ok)
    }

    /// Discards the transaction. If the server has a part of the message, its connection is closed.
    mutating func abandonTransaction() {
        self.dropChunks()
        self.transaction = nil
        self.brokenReply = nil
    }

    /// Discards a message that is between two BDAT chunks.
    private mutating func dropChunks() {
        guard let chunks = self.transaction?.chunks else { return }
        if chunks.isInData { self.dropUpstream() }
        self.dropCopy(chunks)
    }

    /// Ends the transaction after a failed command. Later commands of the transaction get the same reply.
    mutating func fail(_ reply: SubmissionReply) {
        self.transaction = nil
        self.brokenReply = reply
        self.running = .nothing
        self.reply(reply)
    }

    // MARK: - Permissions during a transaction

    /// The rule that forbids the transaction under the permissions in force now; nil if it is permitted.
    var forbidden: SubmissionReply.Refused? {
        guard let transaction = self.transaction, let user = self.user else { return nil }
        if let authors = transaction.authors {
            switch self.snapshot.sending(authors, by: user, at: self.now) {
            case .refused(let refusal): return SubmissionReply.Refused(refusal)
            case .accepted(let route, let signature):
                guard route == transaction.route else { return .noRoute }
                // The header was sent already, so it must already show the Sender that is required now.
                let isShown = signature?.address == transaction.signature?.address
                return signature == nil || isShown ? nil : .sender
            }
        }
        guard let reversePath = transaction.reversePath else { return nil }
        let found = self.snapshot.send(as: reversePath, by: user, at: self.now)
        return found?.account == transaction.route ? nil : .reversePath
    }

    /// Ends a transaction that is no longer permitted. A message whose end was sent cannot be withdrawn.
    mutating func checkTransaction() {
        guard let forbidden = self.forbidden else { return }
        switch self.running {
        case .nothing, .awaiting(.commands):
            self.auditForbidden(forbidden)
            self.dropChunks()
            self.transaction = nil
            self.brokenReply = .notPermitted(forbidden)
        case .receiving(let receiving):
            if receiving.isPastEnd { return }
            if !receiving.isRefused { self.auditForbidden(forbidden) }
            // A reply to MAIL or RCPT may be outstanding: the next command would get it instead of its own.
            if case .envelope = receiving.stage { self.dropUpstream() }
            self.refuseMessage(receiving, reply: .notPermitted(forbidden))
        case .negotiatingTLS, .awaitingLogin, .authenticating, .awaiting, .ended:
            break
        }
    }
}

extension SubmissionReply.Refused {
    /// The rule, as the reply to the client names it.
    init(_ refusal: SendingRefusal) {
        self =
            switch refusal {
            case .reversePath: .reversePath
            case .from: .from
            case .sender: .sender
            case .senderRequired: .senderRequired
            case .resent: .resent
            case .noRoute: .noRoute
            case .noOwnAddress: .noOwnAddress
            }
    }
}
