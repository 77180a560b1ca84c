package import struct NIOCore.ByteBuffer

/// The literals of commands (RFC 9051 §4.3, RFC 7888).
extension CommandReader {
    /// The announcement of a literal at the end of a line; nil if there is none.
    ///
    ///     literal = "{" number64 ["+"] "}" CRLF *CHAR8
    func literal(endingAt end: Int) throws(SyntaxError) -> MessageLiteral? {
        guard !self.readsLines, end > self.lineStart,
            self.octet(at: end - 1) == UInt8(ascii: "}")
        else { return nil }
        var open = end - 2
        while open >= self.lineStart, self.octet(at: open) != UInt8(ascii: "{") { open -= 1 }
        guard open >= self.lineStart else { return nil }
        // An announcement inside an open quote is ambiguous: some readers evaluate quotes first,
        // others line ends.
        if self.scan.isQuoted { throw SyntaxError(.malformedLiteral, at: end) }
        var digits = end - 1
        let isSynchronizing = self.octet(at: digits - 1) != UInt8(ascii: "+")
        if !isSynchronizing { digits -= 1 }
        guard let octets = self.number(from: open + 1, to: digits) else {
            throw SyntaxError(.malformedLiteral, at: end)
        }
        let isLiteral8 = open > self.lineStart && self.octet(at: open - 1) == UInt8(ascii: "~")
        return MessageLiteral(
            octets: octets,
            isSynchronizing: isSynchronizing,
            isLiteral8: isLiteral8
        )
    }

    private func number(from start: Int, to end: Int) -> UInt64? {
        guard start < end, end - start <= 19 else { return nil }
        var value: UInt64 = 0
        for index in start..<end {
            guard let octet = self.octet(at: index), octet.isDigit else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(octet &- 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    private func octet(at offset: Int) -> UInt8? {
        self.buffer.getInteger(at: self.buffer.readerIndex + offset)
    }

    /// Whether the literal, or the command with it, exceeds a limit.
    func isTooLarge(
        _ literal: MessageLiteral,
        end: Int,
        limits: Limits,
        isMessage: Bool
    ) -> Bool {
        if self.literals > limits.maximumLiterals { return true }
        if isMessage { return literal.octets > limits.maximumMessageOctets }
        let (total, overflow) = (end + 2).addingReportingOverflow(Int(clamping: literal.octets))
        return literal.octets > UInt64(limits.maximumLiteralOctets) || overflow
            || total > limits.maximumCommandOctets
    }

    /// - Returns: `continuationNeeded` for a synchronizing literal; nil if the octets follow at
    ///   once.
    mutating func beginLiteral(_ literal: MessageLiteral, end: Int) -> Event? {
        let total = end + 2 + Int(clamping: literal.octets)
        self.lineStart = total
        self.state = .literal(remaining: total)
        self.scan = LineScan()
        return literal.isSynchronizing ? .continuationNeeded : nil
    }

    /// Whether the first `total` octets of the command, up to the literal's last, have arrived.
    mutating func collect(_ total: Int) -> Bool {
        guard self.buffer.readableBytes >= total else { return false }
        self.state = .line
        return true
    }

    /// The tag of the current command; nil if it has no valid tag.
    func tag() -> ByteBuffer? {
        if self.isBehindMessage { return nil }
        var cursor = Cursor(self.buffer)
        let tag = cursor.takeRun(where: \.isTagChar)
        let isTag = tag.readableBytes > 0 && tag.readableBytes <= CommandParser.maximumTagOctets
        // Copy the tag: a slice would keep the whole command in memory.
        return isTag && cursor.peek() == UInt8(ascii: " ")
            ? ByteBuffer(bytes: tag.readableBytesView) : nil
    }

    /// Whether a complete or partial command is ID.
    package static func isIdentification(_ command: ByteBuffer) -> Bool {
        var cursor = Cursor(command)
        _ = cursor.takeRun(where: \.isTagChar)
        return cursor.take(" ") && cursor.take(word: "ID ")
    }
}
