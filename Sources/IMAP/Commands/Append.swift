package import struct NIOCore.ByteBuffer

/// The head of an APPEND, before its message: `Akten (\Seen) "17-Jul-1996 02:44:25 -0700"`
/// (RFC 9051 §6.3.12, RFC 3502 for several messages).
package struct AppendHead: Equatable, Sendable {
    /// The target mailbox. It is empty in the head of a further message.
    package var mailbox: ClientMailbox
    /// The flags for the new message.
    package var flags: [Flag]
    /// The date-time in the grammar's spelling, without quotes.
    package var date: ByteBuffer?

    /// Encodes the command up to and including the literal's announcement.
    package func encode(
        into encoder: inout CommandEncoder,
        mailbox: ByteBuffer,
        flags: [Flag],
        literal: CommandReader.MessageLiteral
    ) {
        encoder.write(word: "APPEND")
        encoder.write(mailbox: mailbox)
        self.encodeFurther(into: &encoder, flags: flags, literal: literal)
    }

    /// Encodes the head of a further message of the same command.
    package func encodeFurther(
        into encoder: inout CommandEncoder,
        flags: [Flag],
        literal: CommandReader.MessageLiteral
    ) {
        encoder.write(
            flags: flags,
            date: self.date,
            octets: literal.octets,
            isLiteral8: literal.isLiteral8
        )
    }
}

extension CommandEncoder {
    /// Encodes the head of a message up to and including the literal's announcement.
    ///
    ///     append-message = [SP flag-list] [SP date-time] SP append-data
    package mutating func write(
        flags: [Flag],
        date: ByteBuffer?,
        octets: UInt64,
        isLiteral8: Bool = false
    ) {
        if !flags.isEmpty { self.write(flags: flags) }
        if let date { self.write(quoted: Array(date.readableBytesView)) }
        self.announce(message: octets, isLiteral8: isLiteral8)
    }
}

/// The result of parsing the head of an APPEND.
package enum ParsedAppendHead {
    /// A valid head.
    case head(tag: ByteBuffer, AppendHead)
    /// - Parameter tag: nil if the line has no valid tag.
    case malformed(tag: ByteBuffer?, SyntaxError)
}

extension Cursor {
    ///     append = "APPEND" SP mailbox 1*append-message
    ///     append-message = append-opts SP append-data
    mutating func appendHead() throws(SyntaxError) -> AppendHead {
        let mailbox = try self.mailbox()
        var head = AppendHead(mailbox: mailbox, flags: [])
        try self.appendOptions(&head)
        return head
    }

    ///     append-opts = [SP flag-list] [SP date-time]
    mutating func appendOptions(_ head: inout AppendHead) throws(SyntaxError) {
        try self.expectBlank()
        if self.peek() == UInt8(ascii: "(") {
            head.flags = try self.flagList()
            try self.expectBlank()
        }
        if self.peek() == UInt8(ascii: "\"") {
            head.date = try self.dateTime()
            try self.expectBlank()
        }
        try self.expectEndOfCommand()
    }
}
