import struct NIOCore.ByteBuffer

/// Reading away: a message that is refused, and a command over a limit. The end is found by the same
/// rules as that of any other command, and no more is held than the next step looks at.
extension CommandReader {
    /// Octets of a line that are kept while it is read away: the longest announcement of a literal,
    /// with 19 digits and a plus.
    private static let keptOctets = 24

    /// The line that is being read is too long: the command is read to its end.
    mutating func refuseLine() throws(SyntaxError) -> Event? {
        self.isOversized = true
        self.refusedTag = self.tag()
        self.scan.resume()
        self.state = .discardingLine
        return try self.discard()
    }

    /// A literal is too large, or one too many. One that the client waits to send does not come;
    /// another is read away with the rest of its command.
    mutating func refuse(
        _ literal: MessageLiteral,
        end: Int
    ) throws(SyntaxError) -> Event? {
        let tag = self.tag()
        self.buffer.moveReaderIndex(forwardBy: end + 2)
        guard !literal.isSynchronizing else {
            self.reset()
            return .commandRefused(tag: tag)
        }
        self.isOversized = true
        self.refusedTag = tag
        try self.discardLiteral(of: literal.octets)
        return try self.discard()
    }

    /// - Returns: nil while the command's end is not there.
    mutating func discard() throws(SyntaxError) -> Event? {
        while true {
            if case .discardingLiteral(let remaining) = self.state {
                let count = Int(min(remaining, UInt64(self.buffer.readableBytes)))
                self.buffer.moveReaderIndex(forwardBy: count)
                self.state = .discardingLiteral(remaining: remaining - UInt64(count))
                guard UInt64(count) == remaining else { return nil }
                self.beginDiscardedLine()
            }
            guard let end = try self.endOfDiscardedLine() else { return nil }
            let literal = try self.discardedLiteral(endingAt: end)
            self.buffer.moveReaderIndex(forwardBy: end + 2)
            guard let literal, !literal.isSynchronizing else { return self.discarded() }
            // An announcement counts as well, so that empty literals come to an end.
            try self.countDiscarded(UInt64(Self.keptOctets))
            try self.discardLiteral(of: literal.octets)
        }
    }

    private mutating func discarded() -> Event {
        let event = self.isOversized ? Event.commandRefused(tag: self.refusedTag) : .discarded
        self.reset()
        return event
    }

    private mutating func discardLiteral(of octets: UInt64) throws(SyntaxError) {
        try self.countDiscarded(octets)
        self.state = .discardingLiteral(remaining: octets)
    }

    private mutating func countDiscarded(_ octets: UInt64) throws(SyntaxError) {
        let (sum, overflow) = self.discardedOctets.addingReportingOverflow(octets)
        self.discardedOctets = sum
        guard !overflow, sum <= self.limits.maximumDiscardedOctets else {
            throw SyntaxError(.commandTooLarge, at: 0)
        }
    }

    // MARK: - Lines

    private mutating func beginDiscardedLine() {
        self.state = .discardingLine
        self.lineStart = 0
        self.forgottenOctets = 0
        self.scan = LineScan()
    }

    /// Scans for CR LF, and lets go of what was looked at.
    private mutating func endOfDiscardedLine() throws(SyntaxError) -> Int? {
        let end = self.scanLine(maximum: .max)
        if let reason = self.scan.failure { throw SyntaxError(reason, at: self.scan.position) }
        if let end {
            try self.countDiscarded(UInt64(end))
            return end
        }
        let count = self.scan.position - Self.keptOctets
        guard count > 0 else { return nil }
        try self.countDiscarded(UInt64(count))
        self.buffer.moveReaderIndex(forwardBy: count)
        // Storage of a long command is not kept for what is left of it.
        self.buffer = ByteBuffer(bytes: self.buffer.readableBytesView)
        self.scan.forget(count)
        self.forgottenOctets += max(0, count - self.lineStart)
        self.lineStart = max(0, self.lineStart - count)
        return nil
    }

    /// The announcement at the end of a line of which only the last octets are there.
    ///
    /// - Throws: `malformedLiteral` too where the line ends in a brace and none opens among the last
    ///   octets: nothing is guessed of what may stand further ahead.
    private func discardedLiteral(endingAt end: Int) throws(SyntaxError) -> MessageLiteral? {
        let lineOctets = end - self.lineStart + self.forgottenOctets
        let kept = min(lineOctets, Self.keptOctets)
        var tail = self
        tail.lineStart = end - kept
        if let literal = try tail.literal(endingAt: end) { return literal }
        let last = self.buffer.getInteger(at: self.buffer.readerIndex + end - 1, as: UInt8.self)
        guard kept == lineOctets || last != UInt8(ascii: "}") else {
            throw SyntaxError(.malformedLiteral, at: end)
        }
        return nil
    }
}
