package import struct NIOCore.ByteBuffer

/// A reader that splits a client's octets into commands.
///
/// Only CR LF ends a line. A literal's announcement is at the end of a line, outside quotes. Any
/// octets that two readers could interpret differently end the connection. Messages of an APPEND
/// are passed on as they arrive; other literals are collected with their command. A command that
/// exceeds a limit is discarded up to its end, and only its tag is kept.
package struct CommandReader {
    /// The announcement of a literal.
    package struct MessageLiteral: Equatable, Sendable {
        /// The number of octets that follow.
        package var octets: UInt64
        /// Whether the client waits for a continuation (RFC 9051 §4.3).
        package var isSynchronizing: Bool
        /// Whether it is a `literal8`, which may contain NUL (RFC 3516 §4.4).
        package var isLiteral8: Bool
    }

    /// The result of reading.
    package enum Event: Equatable {
        /// A complete command without its final CR LF, with literals in line.
        case command(ByteBuffer)
        /// A synchronizing literal was announced: send `+`. Reading continues automatically.
        case continuationNeeded
        /// A command that exceeds a limit was discarded up to its end, or up to a synchronizing
        /// literal that the client will not send: send a tagged answer and no `+`.
        ///
        /// - Parameter tag: nil if there is no valid tag, and after a message of an APPEND.
        case commandRefused(tag: ByteBuffer?)
        /// APPEND announced a message; `head` is the command before the announcement.
        case message(head: ByteBuffer, MessageLiteral)
        /// Octets of the accepted message.
        case messageOctets(ByteBuffer)
        /// The octets between the last message and CR LF.
        case appendEnded(ByteBuffer)
        /// A refused APPEND was discarded.
        case discarded
    }

    /// The position in the command.
    enum State: Equatable {
        /// In a line.
        case line
        /// In a literal that is collected; `remaining` counts from the start of the command.
        case literal(remaining: Int)
        /// At a message, until the session accepts or refuses it.
        case decidingMessage
        /// In a message that is passed on.
        case message(remaining: UInt64)
        /// In a literal that is discarded.
        case discardingLiteral(remaining: UInt64)
        /// In a line that is discarded.
        case discardingLine
    }

    /// The current limits; they change at login.
    package var limits: Limits
    /// Whether lines have no literals: during a SASL exchange or IDLE.
    package var readsLines = false

    var state = State.line
    var buffer = ByteBuffer()
    /// The start of the current line, as offset from the buffer's reader index.
    var lineStart = 0
    var scan = LineScan()
    /// The number of literals in the current command.
    var literals = 0
    /// Whether a message of the current APPEND has been read.
    var isBehindMessage = false
    /// Whether the discarded command exceeded a limit.
    var isOversized = false
    /// The tag of the discarded command.
    var refusedTag: ByteBuffer?
    /// The octets of the command that are or will be discarded.
    var discardedOctets: UInt64 = 0
    /// The octets of the discarded line that are no longer in the buffer.
    var forgottenOctets = 0
    /// The announced message that awaits a decision.
    var pendingLiteral = MessageLiteral(
        octets: 0,
        isSynchronizing: false,
        isLiteral8: false
    )

    package init(limits: Limits) {
        self.limits = limits
    }

    /// The octets in memory: an unfinished command, and octets after the last event.
    package var bufferedOctets: Int { self.buffer.readableBytes }

    /// Appends octets from the client.
    package mutating func receive(_ octets: ByteBuffer) {
        guard self.buffer.readableBytes > 0 else {
            self.buffer = octets
            return
        }
        // Without this, a buffer that is only appended to keeps every octet that was read.
        if self.buffer.readerIndex > 0 { self.buffer.discardReadBytes() }
        self.buffer.writeImmutableBuffer(octets)
    }

    /// Reads the next event.
    /// - Returns: nil while more octets are needed.
    /// - Throws: an error that ends the connection: the rest of the octets is ambiguous.
    package mutating func next() throws(SyntaxError) -> Event? {
        let event = try self.nextEvent()
        // Release the empty buffer: an idle connection must not hold memory.
        if self.buffer.readableBytes == 0 { self.buffer = ByteBuffer() }
        return event
    }

    private mutating func nextEvent() throws(SyntaxError) -> Event? {
        switch self.state {
        case .line:
            return try self.nextLine()
        case .literal(let remaining):
            guard self.collect(remaining) else { return nil }
            return try self.nextLine()
        case .decidingMessage:
            return nil
        case .message(let remaining):
            return try self.nextMessageOctets(remaining)
        case .discardingLiteral, .discardingLine:
            return try self.discard()
        }
    }

    /// Accepts the announced message.
    package mutating func acceptMessage() {
        guard self.state == .decidingMessage else { return }
        self.state = .message(remaining: self.pendingLiteral.octets)
        self.isBehindMessage = true
    }

    /// Refuses the announced message, or the rest of it. A client does not send a synchronizing
    /// literal; another one is discarded with the rest of its command, and `.discarded` follows.
    package mutating func refuseMessage() {
        switch self.state {
        case .decidingMessage where self.pendingLiteral.isSynchronizing:
            self.reset()
        case .decidingMessage:
            self.state = .discardingLiteral(remaining: self.pendingLiteral.octets)
        case .message(let remaining):
            self.state = .discardingLiteral(remaining: remaining)
        case .line where self.isBehindMessage:
            self.state = .discardingLine
        case .discardingLiteral, .discardingLine:
            if self.isBehindMessage { self.isOversized = false }
        case .line, .literal:
            break
        }
    }

    // MARK: - Lines

    /// The limits of the current command.
    private var currentLimits: Limits {
        let isBeforeLogin = self.limits.maximumLineOctets < Limits.identification.maximumLineOctets
        return isBeforeLogin && Self.isIdentification(self.buffer) ? .identification : self.limits
    }

    mutating func nextLine() throws(SyntaxError) -> Event? {
        let limits = self.currentLimits
        while true {
            guard let end = try self.endOfLine(limits) else {
                guard self.scan.failure != nil else { return nil }
                return try self.refuseLine()
            }
            guard let literal = try self.literal(endingAt: end) else { return self.completed(end) }
            self.literals += 1
            let isMessage = self.isMessage(endingAt: end)
            let isTooLarge = self.isTooLarge(
                literal,
                end: end,
                limits: limits,
                isMessage: isMessage
            )
            if isTooLarge { return try self.refuse(literal, end: end) }
            if isMessage { return self.announce(literal, end: end) }
            if let event = self.beginLiteral(literal, end: end) { return event }
            guard self.collect(self.lineStart) else { return nil }
        }
    }

    /// Continues the search for CR LF.
    /// - Returns: the length of the command up to this CR LF; nil if it has not arrived, or if the
    ///   line is too long.
    /// - Throws: an error that ends the connection.
    private mutating func endOfLine(_ limits: Limits) throws(SyntaxError) -> Int? {
        let start = self.lineStart
        let end = self.scanLine(
            maximum: min(limits.maximumLineOctets, limits.maximumCommandOctets - start)
        )
        if let reason = self.scan.failure, reason != .lineTooLong || self.readsLines {
            throw SyntaxError(reason, at: self.scan.position)
        }
        return end
    }

    mutating func scanLine(maximum: Int) -> Int? {
        var scan = self.scan
        let start = self.lineStart
        let end = self.buffer.withUnsafeReadableBytes { octets in
            scan.run(octets, from: start, maximum: maximum, quotes: !self.readsLines)
        }
        self.scan = scan
        return end
    }

    private mutating func completed(_ end: Int) -> Event {
        let frame = self.buffer.readSlice(length: end) ?? ByteBuffer()
        self.buffer.moveReaderIndex(forwardBy: 2)
        let wasBehindMessage = self.isBehindMessage
        self.reset()
        return wasBehindMessage ? .appendEnded(frame) : .command(frame)
    }

    mutating func reset() {
        self.state = .line
        self.lineStart = 0
        self.scan = LineScan()
        self.literals = 0
        self.isBehindMessage = false
        self.isOversized = false
        self.refusedTag = nil
        self.discardedOctets = 0
        self.forgottenOctets = 0
    }
}
