package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Octets and commands from the client, read in turns.
extension ClientSession {
    /// The connection is open, and secured where it is implicit TLS.
    package mutating func opened() {
        self.emit(Reply.greeting(capabilities: self.capabilities))
    }

    package mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.now = now
        if case .negotiatingTLS = self.running { return self.end(.bye(.octetsBehindStartTLS)) }
        self.reader.receive(octets)
        self.readClient()
    }

    /// TLS is up after STARTTLS; everything known before is gone (RFC 9051 §6.2.1).
    package mutating func tlsEstablished() {
        guard case .negotiatingTLS = self.running else { return }
        self.hasTLS = true
        self.reader = CommandReader(limits: .beforeLogin)
        self.running = .nothing
        self.syntaxErrors = 0
    }

    /// Takes what the reader has, as long as the session is ready for it.
    ///
    /// What a command brings about may call this again: the outermost call goes on then, so that the stack
    /// does not grow with what a client sends at once.
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

    /// The reader's next event; before login all of them together have a bound.
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

    var isReadyForClient: Bool {
        switch self.running {
        case .nothing, .awaitingSASLResponse:
            // What nobody asked for, and has passed in part, passes to its end: another server's
            // answer would get into the middle of it.
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

    private mutating func frameReceived(_ frame: ByteBuffer) {
        switch self.running {
        case .awaitingSASLResponse(let tag):
            return self.saslResponseReceived(frame.withoutBlanksAtEnd, tag: tag)
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

    private mutating func malformedCommandReceived(_ tag: ByteBuffer?, error: SyntaxError) {
        // A command with too many parts parses as far as it was read, and no client is out of step.
        if !error.reason.isCount || self.user == nil { self.strike() }
        self.answer(tag, text: ReplyText(error))
    }

    /// A command over a limit was read away.
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

    /// Counts a command that did not parse.
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
