import struct NIOCore.ByteBuffer

/// Discarding: a refused message, and a command that exceeds a limit. The end of the command is
/// found by the same rules as for other commands, and only the octets for the next step are kept.
extension CommandReader {
    /// The octets of a discarded line that are kept: the longest announcement of a literal, with 19
    /// digits and a plus.
    private static let keptOctets = 24

    /// Starts to discard a command with a line that is too long.
    mutating func refuseLine() throws(SyntaxError) -> Event? {
        self.isOversized = true
        self.refusedTag = self.tag()
        self.scan.resume()
        self.state = .discardingLine
        return try self.discard()
    }

    /// Refuses a literal that is too large, or one too many. The client does not send the octets of
    /// a synchronizing literal; another literal is discarded with the rest of its command.
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

    /// Discards octets up to the end of the command.
    /// - Returns: nil while the end has not arrived.
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
            // Count the announcement too: otherwise a command of empty literals never ends.
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

    /// Searches for CR LF and drops the octets that were searched.
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
        // Release the storage of the long command: copy the few octets that remain.
        self.buffer = ByteBuffer(bytes: self.buffer.readableBytesView)
        self.scan.forget(count)
        self.forgottenOctets += max(0, count - self.lineStart)
        self.lineStart = max(0, self.lineStart - count)
        return nil
    }

    /// The announcement at the end of a line, of which only the last octets are kept.
    ///
    /// - Throws: also `malformedLiteral` if the line ends with `}` and the kept octets contain no
    ///   `{`: the dropped octets may have contained it.
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
