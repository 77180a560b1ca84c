package import Access
import SMTP

package import struct NIOCore.ByteBuffer

/// What servers for sending say, and what becomes of it.
extension SubmissionSession {
    // MARK: - The connection

    /// The gateway is logged in at the server.
    package mutating func upstreamReady(_ profile: SubmissionProfile) {
        guard case .connecting = self.upstream?.state else { return }
        self.upstream?.state = .ready(profile)
        self.sendWaiting()
        self.readClient()
    }

    /// A connection that was asked for cannot be had.
    package mutating func upstreamFailed(_ fault: SubmissionFault) {
        self.upstreamLost(SubmissionReply(fault))
    }

    /// The connection ended without being asked to.
    package mutating func upstreamClosed() {
        self.upstreamLost(.unavailable)
    }

    /// The server did not answer in time (RFC 5321 §4.5.3.2).
    package mutating func upstreamTimeoutPassed() {
        guard self.awaitsUpstream else { return }
        self.upstreamLost(.unavailable)
    }

    /// The server, or what the gateway logs in with there, is another one now: a message that is on
    /// its way goes there yet, and the next one to the new one.
    package mutating func serverChanged() {
        self.upstream?.isOutdated = true
        if !self.hasTransaction { self.dropUpstream() }
    }

    /// No message has gone to the server for a while: its place is left to others.
    package mutating func upstreamUnused() {
        if !self.hasTransaction { self.dropUpstream() }
    }

    mutating func dropUpstream() {
        guard self.upstream != nil else { return }
        self.upstream = nil
        self.actions.append(.closeUpstream)
    }

    /// What ran at the server fails, with nothing sent; the rest of the session goes on.
    mutating func upstreamLost(_ reply: SubmissionReply) {
        guard let account = self.upstream?.account else { return }
        self.dropUpstream()
        switch self.running {
        case .awaiting(.reset):
            // Servers count RSET and break off some day; a new connection is as good.
            self.running = .awaiting(.connection)
            self.openUpstream(account)
        case .awaiting:
            self.fail(reply)
        case .receiving(let receiving):
            if case .verdict = receiving.stage {
                self.dropCopy(receiving)
                self.auditSent(self.transaction, isConfirmed: false)
                self.transaction = nil
                self.running = .nothing
                self.reply(.unconfirmed)
                if self.endsAfterVerdict { self.end(.closing) }
            } else if !receiving.isPastEnd, self.transaction?.route != nil {
                self.refuseMessage(receiving, reply: reply)
            }
        case .nothing:
            guard self.transaction?.route != nil else { break }
            if let chunks = self.transaction?.chunks { self.dropCopy(chunks) }
            self.transaction = nil
            self.brokenReply = reply
        case .negotiatingTLS, .awaitingLogin, .authenticating, .ended:
            break
        }
        self.readClient()
    }

    // MARK: - Answers

    package mutating func upstreamOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.now = now
        self.upstream?.reader.receive(octets)
        do {
            while let reply = try self.upstream?.reader.next() {
                self.replyReceived(reply, isLast: self.upstream?.reader.bufferedOctets == 0)
            }
        } catch {
            self.upstreamLost(.unavailable)
        }
        self.readClient()
    }

    /// - Parameter isLast: whether nothing came behind it. The next command is sent only then: the answer to a
    ///   command cannot be there before the command.
    private mutating func replyReceived(_ reply: ServerReply, isLast: Bool) {
        guard isLast || self.isEnd(reply) else { return self.upstreamLost(.unavailable) }
        defer { if !isLast { self.upstreamLost(.unavailable) } }
        switch self.upstream?.state {
        case .ready:
            self.answerReceived(reply)
        case .connecting, .none:
            self.upstreamLost(.unavailable)
        }
    }

    /// Whether no command follows an answer by itself.
    private func isEnd(_ reply: ServerReply) -> Bool {
        guard case .ready = self.upstream?.state else { return false }
        if case .receiving(let receiving) = self.running, case .verdict = receiving.stage {
            return true
        }
        return reply.code >= 400
    }

    /// What waited for the connection goes on.
    private mutating func sendWaiting() {
        switch self.running {
        case .awaiting(.connection):
            self.checkConnected()
        case .receiving(let receiving):
            guard case .envelope = receiving.stage, let upstream = self.upstream else { return }
            if upstream.isOutdated { return self.openUpstream(upstream.account) }
            self.envelopeConnected(receiving)
        default:
            break
        }
    }

    /// The right may have gone while the server was being connected, or the server be another one.
    private mutating func checkConnected() {
        if let upstream = self.upstream, upstream.isOutdated {
            self.running = .awaiting(.connection)
            return self.openUpstream(upstream.account)
        }
        self.running = .nothing
        self.checkTransaction()
        guard self.transaction != nil else {
            return self.reply(self.brokenReply ?? .unavailable)
        }
        self.sendMail()
    }

    private mutating func answerReceived(_ reply: ServerReply) {
        switch self.running {
        case .awaiting(.reset):
            guard reply.isPositive else { return self.upstreamLost(.unavailable) }
            self.checkConnected()
        case .awaiting(.mail):
            self.running = .nothing
            self.upstream?.isDirty = reply.isPositive
            if !reply.isPositive { self.transaction = nil }
            self.reply(self.passed(reply, expectsSuccess: true))
        case .awaiting(.rcpt(let recipient)):
            self.running = .nothing
            if reply.isPositive { self.transaction?.recipients.append(recipient) }
            self.reply(self.passed(reply, expectsSuccess: true))
        case .receiving(let receiving):
            self.replyReceivedWhileReceiving(reply, receiving: receiving)
        case .nothing, .negotiatingTLS, .awaitingLogin, .authenticating, .awaiting(.connection),
            .ended:
            // An answer to nothing, as 421 before a server closes: it is used no more.
            self.upstreamLost(.unavailable)
        }
    }

    /// A server's answer as the client gets it. One that says that the server closes, or that is
    /// no answer to what was asked, is told as the gateway's own.
    mutating func passed(_ reply: ServerReply, expectsSuccess: Bool) -> SubmissionReply {
        let isAnswer = reply.isPositive ? expectsSuccess : !reply.isIntermediate
        guard isAnswer, reply.code != 421 else {
            self.dropUpstream()
            if self.transaction?.route != nil, case .nothing = self.running {
                self.transaction = nil
                self.brokenReply = .unavailable
            }
            return .unavailable
        }
        return .upstream(reply)
    }

    /// Sends a command without arguments.
    mutating func send(_ verb: StaticString) {
        var line = ByteBuffer(staticString: verb)
        line.writeStaticString("\r\n")
        self.actions.append(.toUpstream(line))
    }
}

extension SubmissionReply {
    init(_ fault: SubmissionFault) {
        self =
            switch fault {
            case .unreachable, .temporarilyRefused: .upstreamUnreachable
            case .credentialRefused, .noMechanism: .upstreamRefusedLogin
            case .credentialSuspended: .credentialSuspended
            case .serverUnanswering: .serverUnanswering
            case .noServer: .noSendingServer
            }
    }
}
