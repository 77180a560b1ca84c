package import Access
import SMTP

package import struct NIOCore.ByteBuffer

/// Octets and commands from the client.
extension SubmissionSession {
    /// The connection is open. With implicit TLS, the handshake is complete.
    package mutating func opened() {
        self.reply(.greeting)
    }

    /// Takes octets of the client and executes the commands in them. Octets between STARTTLS and the TLS handshake
    /// end the connection.
    package mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.now = now
        // A client must not send anything after STARTTLS before the TLS handshake (RFC 3207 §4.2).
        if case .negotiatingTLS = self.running { return self.end(nil) }
        if self.input.readableBytes == 0 {
            self.input = octets
        } else {
            // Without this, the buffer would also keep all octets that were already read.
            if self.input.readerIndex > 0 { self.input.discardReadBytes() }
            self.input.writeImmutableBuffer(octets)
        }
        self.readClient()
    }

    /// The TLS handshake after STARTTLS is complete. The session starts over (RFC 3207 §4.2).
    package mutating func tlsEstablished() {
        guard case .negotiatingTLS = self.running else { return }
        self.hasTLS = true
        self.hasGreeted = false
        self.running = .nothing
        self.errors = 0
    }

    /// Executes the buffered commands and message octets until the session must wait, or its turn ends.
    ///
    /// Re-entrant: a nested call returns and the outer loop continues, so the stack stays bounded.
    mutating func readClient() {
        guard !self.isReadingClient else { return }
        self.isReadingClient = true
        defer {
            self.isReadingClient = false
            // A session that waits must not hold the buffer of what it has read.
            if self.input.readableBytes == 0 { self.input = ByteBuffer() }
        }
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
            case .awaiting(.commands):
                guard self.pipelined.takesCommand else { return }
                guard turn.takesCommand() else { return self.yieldLoop() }
                guard self.sendAhead() else { return }
            case .negotiatingTLS, .authenticating, .awaiting, .ended:
                return
            }
        }
    }

    /// Reads one line and executes it as a command or as an answer to a login challenge.
    ///
    /// - Returns: whether a whole line, valid or not, was read.
    private mutating func readLine() -> Bool {
        do {
            let waiting = self.input.readableBytes
            let next = Result { () throws(SubmissionError) in
                try CommandLine.next(
                    &self.input,
                    discarded: &self.discardedOctets,
                    limit: self.user == nil
                        ? self.settings.methods.maximumLineOctets : CommandLine.maximumOctets
                )
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
            // A client that does not begin with a greeting speaks another protocol: an attacker may have redirected a
            // browser to this port (ALPACA).
            let isForeign =
                (error == .unknownCommand || error == .lineTooLong) && !self.hasGreeted
            if case .awaitingLogin(.tokenRefused(endsConnection: true)) = self.running {
                self.end(.tooManyErrors)
            } else if isForeign || Self.hidesNextCommand(error) {
                self.end(SubmissionReply(error))
            } else {
                self.running = .nothing
                self.refuse(SubmissionReply(error))
            }
        }
        return true
    }

    /// Whether the start of the next command is unknown after an error: after an endless line, a malformed chunk size,
    /// or a line end that other parsers do not take for one.
    private static func hidesNextCommand(_ error: SubmissionError) -> Bool {
        switch error {
        case .endlessLine, .malformedChunkSize, .bareLineEnd: true
        case .unknownCommand, .malformedArguments, .malformedParameter, .malformedPath,
            .unknownParameter, .lineTooLong, .malformedReply:
            false
        }
    }
}
