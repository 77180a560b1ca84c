package import struct NIOCore.ByteBuffer

/// Cuts a client's octets into commands.
///
/// Only CR LF ends a line. A literal is announced right before it, outside quotes; everything that
/// two readers could understand in two ways ends the connection. Messages of an APPEND are handed
/// on as they come; every other literal is collected into the command it belongs to. A command
/// over a limit is read to its end, and nothing of it but its tag is kept.
package struct CommandReader {
    package struct MessageLiteral: Equatable, Sendable {
        package var octets: UInt64
        package var isSynchronizing: Bool
        package var isLiteral8: Bool
    }

    package enum Event: Equatable {
        /// A whole command without its final CR LF, literals in line as they came.
        case command(ByteBuffer)
        /// A synchronising literal was announced: `+` is due; reading goes on by itself.
        case continuationNeeded
        /// A command over a limit has been read away up to its end, or up to a synchronising
        /// literal, whose octets do not come: a tagged answer is due, and no `+`.
        ///
        /// - Parameter tag: nil where there is none to repeat, and behind a message of an APPEND.
        case commandRefused(tag: ByteBuffer?)
        /// APPEND announced a message; `head` is what came before the announcement.
        case message(head: ByteBuffer, MessageLiteral)
        case messageOctets(ByteBuffer)
        /// What stood between the last message and CR LF.
        case appendEnded(ByteBuffer)
        /// A refused APPEND has been read away.
        case discarded
    }

    enum State: Equatable {
        case line
        case literal(remaining: Int)
        case decidingMessage
        case message(remaining: UInt64)
        case discardingLiteral(remaining: UInt64)
        case discardingLine
    }

    package var limits: Limits
    /// Whether lines are read without literals: a SASL exchange or IDLE is running.
    package var readsLines = false

    var state = State.line
    var buffer = ByteBuffer()
    /// Where in the buffer the current line begins, from the reader index.
    var lineStart = 0
    var scan = LineScan()
    var literals = 0
    /// Whether a message of the APPEND that is being read has passed.
    var isBehindMessage = false
    /// Whether the command that is read away is one over a limit.
    var isOversized = false
    /// The tag of that command.
    var refusedTag: ByteBuffer?
    /// Octets of the command that were read away, or will be.
    var discardedOctets: UInt64 = 0
    /// Octets of the line that is read away that are gone.
    var forgottenOctets = 0
    var pendingLiteral = MessageLiteral(
        octets: 0,
        isSynchronizing: false,
        isLiteral8: false
    )

    package init(limits: Limits) {
        self.limits = limits
    }

    /// Octets held: those of an unfinished command, and what came behind the last event.
    package var bufferedOctets: Int { self.buffer.readableBytes }

    package mutating func receive(_ octets: ByteBuffer) {
        guard self.buffer.readableBytes > 0 else {
            self.buffer = octets
            return
        }
        // A buffer that is only appended to keeps every octet that was ever read from it.
        if self.buffer.readerIndex > 0 { self.buffer.discardReadBytes() }
        self.buffer.writeImmutableBuffer(octets)
    }

    /// - Returns: nil while more octets are needed.
    /// - Throws: what ends the connection: the octets cannot be told apart safely any more.
    package mutating func next() throws(SyntaxError) -> Event? {
        let event = try self.nextEvent()
        // Lets go of what is used up, so that an idle connection holds nothing.
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

    /// The message that was announced is wanted.
    package mutating func acceptMessage() {
        guard self.state == .decidingMessage else { return }
        self.state = .message(remaining: self.pendingLiteral.octets)
        self.isBehindMessage = true
    }

    /// The message is not wanted, or not any more. One that the client waits to send does not
    /// come; another is read away with the rest of its command, and `.discarded` follows.
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

    /// The limits for the command that is being read.
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

    /// Scans for CR LF from where the last scan stopped.
    /// - Returns: the length of the command so far, without that CR LF; nil while it is not there,
    ///   and where the line is too long.
    /// - Throws: what ends the connection.
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
