package import Access
import SMTP

package import struct NIOCore.ByteBuffer

/// Events and replies of the submission server.
extension SubmissionSession {
    // MARK: - The connection

    /// The gateway is logged in at the server.
    package mutating func upstreamReady(_ profile: SubmissionProfile) {
        guard case .connecting = self.upstream?.state else { return }
        self.upstream?.state = .ready(profile)
        self.sendWaiting()
        self.readClient()
    }

    /// The connection or the login that the session requested has failed.
    package mutating func upstreamFailed(_ fault: SubmissionFault) {
        self.upstreamLost(SubmissionReply(fault))
    }

    /// The server closed the connection, or it broke.
    package mutating func upstreamClosed() {
        self.upstreamLost(.unavailable)
    }

    /// The server did not reply in time (RFC 5321 §4.5.3.2).
    package mutating func upstreamTimeoutPassed() {
        guard self.awaitsUpstream else { return }
        self.upstreamLost(.unavailable)
    }

    /// The account's submission server or credential has changed. A transaction in progress still uses the current
    /// connection; the next one opens a new connection.
    package mutating func serverChanged() {
        self.upstream?.isOutdated = true
        if !self.hasTransaction { self.dropUpstream() }
    }

    /// No message was sent on the connection for a while: it is closed, so that other sessions can use its slot.
    package mutating func upstreamUnused() {
        if !self.hasTransaction { self.dropUpstream() }
    }

    /// Closes the connection to the server, if there is one.
    mutating func dropUpstream() {
        guard self.upstream != nil else { return }
        self.upstream = nil
        self.actions.append(.closeUpstream)
    }

    /// The connection is lost. The transaction fails and its message is not sent; the client's session continues. If
    /// the end of the message was already sent, its outcome is unknown and the client is told so.
    mutating func upstreamLost(_ reply: SubmissionReply) {
        guard let account = self.upstream?.account else { return }
        self.dropUpstream()
        switch self.running {
        case .awaiting(.reset):
            // Some servers limit the number of RSET and close the connection. A new connection does the same.
            self.running = .awaiting(.connection)
            self.openUpstream(account)
        case .awaiting(.connection):
            self.fail(reply)
        case .awaiting(.commands):
            self.pipelinedLost(reply)
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

    // MARK: - Replies

    /// Takes octets of the server and acts on the replies in them. A reply that does not parse ends the connection.
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

    /// Acts on one reply. Octets after the last reply that is due end the connection, because a server must not
    /// answer a command before it has received the command. The reply itself still counts if the session sends no
    /// command after it.
    ///
    /// - Parameter isLast: whether no octets follow the reply.
    private mutating func replyReceived(_ reply: ServerReply, isLast: Bool) {
        let isInOrder = isLast || self.pipelined.count > 1
        guard isInOrder || self.isEnd(reply) else { return self.upstreamLost(.unavailable) }
        defer { if !isInOrder { self.upstreamLost(.unavailable) } }
        switch self.upstream?.state {
        case .ready:
            self.answerReceived(reply)
        case .connecting, .none:
            self.upstreamLost(.unavailable)
        }
    }

    /// Whether the session sends no further command in response to a reply.
    private func isEnd(_ reply: ServerReply) -> Bool {
        guard case .ready = self.upstream?.state else { return false }
        if case .receiving(let receiving) = self.running, case .verdict = receiving.stage {
            return true
        }
        return reply.code >= 400
    }

    /// Continues the command or message that waited for the connection.
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

    /// Checks the permission again before MAIL: it may have ended during the connection attempt, and the account may
    /// have another server now.
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

    /// Acts on the reply to the command in flight.
    private mutating func answerReceived(_ reply: ServerReply) {
        switch self.running {
        case .awaiting(.reset):
            guard reply.isAcceptance else { return self.upstreamLost(.unavailable) }
            self.checkConnected()
        case .awaiting(.commands):
            self.commandAnswered(reply)
        case .receiving(let receiving):
            self.replyReceivedWhileReceiving(reply, receiving: receiving)
        case .nothing, .negotiatingTLS, .awaitingLogin, .authenticating, .awaiting(.connection),
            .ended:
            // No command is in flight: for example 421, before the server closes the connection.
            self.upstreamLost(.unavailable)
        }
    }

    /// The client's reply for a reply of the server. A 421, or an unexpected reply, becomes the gateway's own reply,
    /// and the connection is closed.
    ///
    /// - Parameter expectsSuccess: whether an acceptance answers the command. After DATA it does not.
    mutating func passed(_ reply: ServerReply, expectsSuccess: Bool) -> SubmissionReply {
        let isAnswer = reply.isAcceptance ? expectsSuccess : reply.code >= 400
        guard isAnswer, reply.code != 421 else {
            self.dropUpstream()
            if case .receiving = self.running { return .unavailable }
            if self.transaction?.route != nil {
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
    /// The reply if the account's server cannot be used now.
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
