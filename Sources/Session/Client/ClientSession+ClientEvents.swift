package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Octets and commands from the client. A session reads a limited number of commands in each turn
/// of the event loop.
extension ClientSession {
    /// The connection is open, and for implicit TLS the handshake is complete: greets the client.
    package mutating func opened() {
        self.emit(Reply.greeting(capabilities: self.capabilities))
    }

    /// Octets have arrived from the client. Octets between STARTTLS and the handshake end the
    /// connection, because an attacker could inject commands there.
    package mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.now = now
        if case .negotiatingTLS = self.running { return self.end(.bye(.octetsBehindStartTLS)) }
        self.reader.receive(octets)
        self.readClient()
    }

    /// TLS is established after STARTTLS. The session discards octets and counts from before (RFC
    /// 9051 §6.2.1).
    package mutating func tlsEstablished() {
        guard case .negotiatingTLS = self.running else { return }
        self.hasTLS = true
        self.reader = CommandReader(limits: self.clientLogin.methods.readerLimits)
        self.running = .nothing
        self.syntaxErrors = 0
    }

    /// Reads events from the reader while the session accepts them.
    ///
    /// Re-entrant: a command may call this again. The nested call returns at once and the outer
    /// loop continues, so the stack stays bounded whatever a client pipelines.
    mutating func readClient() {
        guard !self.isReadingClient, !self.hasYielded else { return }
        self.isReadingClient = true
        defer { self.isReadingClient = false }
        if case .listing(let listing) = self.running { listing.resume(in: &self) }
        for _ in 0..<Self.commandsInTurn {
            if self.hasOutdatedServer { self.leaveOutdatedServers() }
            guard self.isReadyForClient, !self.hasYielded else { return }
            do {
                guard let event = try self.nextEvent() else { return }
                self.clientEvent(event)
            } catch {
                return self.end(.bye(error.reason.isSize ? .tooBig : .syntax))
            }
        }
        guard self.reader.bufferedOctets > 0 else { return }
        self.yieldLoop()
    }

    /// The next event of the reader. Before login the octets of all commands together are limited,
    /// and those of ID separately.
    ///
    /// - Throws: a size error if the commands before login exceed a limit.
    private mutating func nextEvent() throws(SyntaxError) -> CommandReader.Event? {
        guard self.user == nil else { return try self.reader.next() }
        let buffered = self.reader.bufferedOctets
        let event = try self.reader.next()
        let octets = buffered - self.reader.bufferedOctets
        let isWithinBounds: Bool
        if case .command(let frame)? = event, CommandReader.isIdentification(frame) {
            self.identificationOctets += octets
            isWithinBounds = self.identificationOctets <= Self.maximumIdentificationOctets
        } else {
            isWithinBounds = self.clientLogin.octetsReceived(octets)
        }
        guard isWithinBounds else { throw SyntaxError(.commandTooLarge, at: 0) }
        return event
    }

    /// Whether the session can process the next command or octet of the client now.
    var isReadyForClient: Bool {
        switch self.running {
        case .nothing, .awaitingSASLResponse:
            // A response that has been passed on in part must reach its end first: an answer would
            // be written into the middle of it.
            self.passing == nil
        case .idling(let idling):
            idling.readsClient
        case .appending(let appending):
            appending.readsClient
        case .authenticating, .negotiatingTLS, .discoveringCapabilities, .preparing, .forwarding,
            .selecting,
            .listing, .transferring, .subscribing, .changingACL, .notifying, .ended:
            false
        }
    }

    /// Passes an event of the reader to the function that processes it.
    private mutating func clientEvent(_ event: CommandReader.Event) {
        switch event {
        case .command(let frame):
            self.frameReceived(frame)
        case .continuationNeeded:
            self.emit(Reply.continuation(.literal))
        case .commandRefused(let tag):
            self.commandRefused(tag)
        case .message(let head, let literal):
            self.messageAnnounced(head, literal: literal)
        case .messageOctets(let octets):
            if case .appending(let appending) = self.running {
                appending.octetsReceived(octets, in: &self)
            }
        case .appendEnded(let rest):
            if case .appending(let appending) = self.running {
                appending.ended(rest, in: &self)
            }
        case .discarded:
            break
        }
    }

    /// A whole line or command of the client. A SASL response and the line that ends IDLE are no
    /// commands.
    private mutating func frameReceived(_ frame: ByteBuffer) {
        switch self.running {
        case .awaitingSASLResponse(let tag, let exchange):
            return self.saslResponseReceived(
                frame.withoutBlanksAtEnd,
                tag: tag,
                exchange: exchange
            )
        case .idling(let idling):
            return idling.lineReceived(frame, in: &self)
        default:
            break
        }
        self.commandNumber += 1
        self.hasExpungedMeanwhile = false
        switch CommandParser.parse(frame) {
        case .command(let tag, let command):
            self.dispatch(tag, command: command)
        case .malformed(let tag, let error):
            self.malformedCommandReceived(tag, error: error)
        }
    }

    /// Answers a command that does not parse, and counts it against the limit.
    private mutating func malformedCommandReceived(_ tag: ByteBuffer?, error: SyntaxError) {
        // A command with too many parts is valid as far as it was read. It does not show that the
        // client is out of step.
        if !error.reason.isCount || self.user == nil { self.strike() }
        self.answer(tag, text: ReplyText(error))
    }

    /// The reader has discarded a command that exceeds a limit.
    private mutating func commandRefused(_ tag: ByteBuffer?) {
        self.oversizedCommands += 1
        if case .appending(let appending) = self.running {
            appending.abandon(.tooBig, in: &self)
        } else {
            self.answer(tag, text: .tooBig)
        }
        guard self.user != nil else { return self.strike() }
        if self.oversizedCommands >= Self.maximumOversizedCommands {
            self.end(.bye(.tooManyErrors))
        }
    }

    /// Counts a command that does not parse, and ends the connection at the limit. Before login the
    /// limit is that of failed logins.
    mutating func strike() {
        self.syntaxErrors += 1
        if self.syntaxErrors >= Self.maximumSyntaxErrors
            || self.user == nil
                && self.syntaxErrors >= ClientLogin.maximumFailures
        {
            self.end(.bye(.tooManyErrors))
        }
    }
}
