package import Access
import SMTP

package import struct NIOCore.ByteBuffer

/// Octets and commands from the client, read in turns.
extension SubmissionSession {
    /// The connection is open, and secured where it is implicit TLS.
    package mutating func opened() {
        self.reply(.greeting)
    }

    package mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.now = now
        // Nothing may follow STARTTLS before TLS is up (RFC 3207 §4.2).
        if case .negotiatingTLS = self.running { return self.end(nil) }
        if self.input.readableBytes == 0 {
            self.input = octets
        } else {
            // A buffer that is only appended to keeps every octet that was ever read from it.
            if self.input.readerIndex > 0 { self.input.discardReadBytes() }
            self.input.writeImmutableBuffer(octets)
        }
        self.readClient()
    }

    /// TLS is up after STARTTLS; everything known before is gone.
    package mutating func tlsEstablished() {
        guard case .negotiatingTLS = self.running else { return }
        self.hasTLS = true
        self.hasGreeted = false
        self.running = .nothing
        self.errors = 0
    }

    /// Takes what there is, as long as the session is ready for it and the turn lasts.
    ///
    /// What a command brings about may call this again: the outermost call goes on then.
    mutating func readClient() {
        guard !self.isReadingClient else { return }
        self.isReadingClient = true
        defer { self.isReadingClient = false }
        if self.isDraining, !self.hasTransaction { return self.end(.closing) }
        var turn = Turn()
        while self.input.readableBytes > 0, !self.hasYielded {
            switch self.running {
            case .nothing, .awaitingLogin:
                guard turn.takesCommand() else { return self.yieldLoop() }
                guard self.readLine() else { return }
            case .receiving(let receiving):
                guard !receiving.awaitsUpstream else { return }
                guard turn.takesPiece() else { return self.yieldLoop() }
                self.readMessage(receiving)
            case .negotiatingTLS, .authenticating, .awaiting, .ended:
                return
            }
        }
    }

    /// - Returns: whether there was a line.
    private mutating func readLine() -> Bool {
        do {
            let waiting = self.input.readableBytes
            let next = Result { () throws(SubmissionError) in
                try CommandLine.next(&self.input, discarded: &self.discardedOctets)
            }
            if self.user == nil {
                guard self.clientLogin.octetsReceived(waiting - self.input.readableBytes) else {
                    self.end(.tooManyErrors)
                    return false
                }
            }
            guard let line = try next.get() else { return false }
            if case .awaitingLogin(let exchange) = self.running {
                self.loginLineReceived(line, exchange: exchange)
            } else {
                self.dispatch(try SubmissionCommand(line: line))
            }
        } catch {
            // Behind these nothing can be told apart any more; and who does not begin with a greeting speaks
            // another protocol, perhaps in the name of somebody who was made to (ALPACA).
            let isForeign =
                (error == .unknownCommand || error == .lineTooLong) && !self.hasGreeted
            if isForeign || error == .endlessLine || error == .malformedChunkSize {
                self.end(SubmissionReply(error))
            } else {
                self.running = .nothing
                self.refuse(SubmissionReply(error))
            }
        }
        return true
    }
}
