package import struct NIOCore.ByteBuffer
package import struct NIOCore.ByteBufferAllocator

/// The form of a literal's announcement to a server.
package enum LiteralForm: Equatable, Sendable {
    /// `{5}`: the server requests the octets by a continuation.
    case synchronizing
    /// `{5+}`: the octets follow at once (RFC 7888).
    case nonSynchronizing
}

/// An encoder for one command to a server, in one canonical form.
///
/// It writes a space between elements. A string becomes an atom if possible, else a quoted string
/// if that is unambiguous, else a literal. CR, LF and NUL occur only inside literals, and no line
/// ends like the announcement of a literal.
package struct CommandEncoder {
    /// The longest quoted string, in octets; a longer one becomes a literal, because servers limit
    /// lines.
    private static let maximumQuotedOctets = 1_000

    /// Most commands are not longer, in octets.
    private static let usualOctets = 128

    private let literals: LiteralForm
    private var segment: ByteBuffer
    private var complete: [ByteBuffer] = []
    private var isAtStart = false

    package init(tag: ByteBuffer, literals: LiteralForm) {
        self.literals = literals
        // The tag has other holders, so a write behind it would copy it into a buffer that fits.
        self.segment = ByteBufferAllocator().buffer(capacity: Self.usualOctets)
        self.segment.writeImmutableBuffer(tag)
    }

    /// Continues a command whose first part has already been sent.
    package init(continuing literals: LiteralForm) {
        self.literals = literals
        self.segment = ByteBuffer()
    }

    /// The segments of the command, with its line end. Each segment after the first waits for a
    /// `+`.
    package mutating func finish() -> [ByteBuffer] {
        self.segment.writeStaticString("\r\n")
        return self.finishWithoutLineEnd()
    }

    /// The segments of a command whose remaining octets are sent separately.
    package mutating func finishWithoutLineEnd() -> [ByteBuffer] {
        defer {
            self.complete = []
            self.segment = ByteBuffer()
        }
        return self.segment.readableBytes > 0 ? self.complete + [self.segment] : self.complete
    }

    private mutating func space() {
        if self.isAtStart {
            self.isAtStart = false
        } else {
            self.segment.writeInteger(UInt8(ascii: " "))
        }
    }

    /// Writes a keyword of the protocol.
    package mutating func write(word: StaticString) {
        self.space()
        self.segment.writeStaticString(word)
    }

    package mutating func write(number: UInt64) {
        self.space()
        self.segment.writeString(String(number))
    }

    /// Writes octets that a parser of this module has validated or built.
    mutating func write(raw: ByteBuffer) {
        self.space()
        self.segment.writeImmutableBuffer(raw)
    }

    /// Appends octets without a space.
    mutating func append(raw: ByteBuffer) {
        self.segment.writeImmutableBuffer(raw)
    }

    mutating func append(_ text: StaticString) {
        self.segment.writeStaticString(text)
    }

    /// Writes an atom. Other octets become a quoted string, which a server refuses.
    package mutating func write(atom: [UInt8]) {
        guard !atom.isEmpty, atom.allSatisfy(\.isAtomChar) else { return self.write(quoted: atom) }
        self.space()
        self.segment.writeBytes(atom)
    }

    mutating func write(listOf elements: [ByteBuffer]) {
        self.open()
        for element in elements { self.write(raw: element) }
        self.close()
    }

    /// Writes `(`; the next element follows without a space.
    mutating func open() {
        self.space()
        self.segment.writeInteger(UInt8(ascii: "("))
        self.isAtStart = true
    }

    mutating func close() {
        self.isAtStart = false
        self.segment.writeInteger(UInt8(ascii: ")"))
    }

    /// Writes a mailbox name in the server's encoding.
    package mutating func write(mailbox: ByteBuffer) {
        self.write(astring: mailbox)
    }

    /// Writes an atom if possible, else a quoted string or a literal.
    package mutating func write(astring: ByteBuffer) {
        let isAtom =
            astring.readableBytes > 0
            && astring.readableBytesView.allSatisfy(\.isAtomChar) && !Self.isNIL(astring)
        if isAtom { return self.write(raw: astring) }
        self.write(string: astring)
    }

    private static func isNIL(_ octets: ByteBuffer) -> Bool {
        octets.equals(word: "NIL")
    }

    /// Writes a quoted string or a literal.
    package mutating func write(string: ByteBuffer) {
        let isPlain = string.readableBytesView.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        guard isPlain, string.readableBytes <= Self.maximumQuotedOctets else {
            return self.write(literal: string)
        }
        self.write(quoted: Array(string.readableBytesView))
    }

    /// Writes a quoted string without control octets.
    package mutating func write(quoted: [UInt8]) {
        self.space()
        self.segment.writeInteger(UInt8(ascii: "\""))
        for octet in quoted where !octet.isControl {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                self.segment.writeInteger(UInt8(ascii: "\\"))
            }
            self.segment.writeInteger(octet)
        }
        self.segment.writeInteger(UInt8(ascii: "\""))
    }

    private mutating func write(literal: ByteBuffer) {
        self.announce(octets: UInt64(literal.readableBytes), form: self.literals)
        self.segment.writeImmutableBuffer(literal)
    }

    /// Writes the announcement of a message, always as a synchronizing literal.
    ///
    /// A server that fails before it reads a non-synchronizing literal may execute the octets of
    /// the message as commands. With a synchronizing literal, a server that refuses the command
    /// gets none of them (RFC 9051 §4.3).
    package mutating func announce(message octets: UInt64, isLiteral8: Bool) {
        self.announce(octets: octets, isLiteral8: isLiteral8, form: .synchronizing)
    }

    /// Writes the announcement of a literal. A server must answer a synchronizing one with `+`.
    private mutating func announce(octets: UInt64, isLiteral8: Bool = false, form: LiteralForm) {
        self.space()
        if isLiteral8 { self.segment.writeInteger(UInt8(ascii: "~")) }
        self.segment.writeInteger(UInt8(ascii: "{"))
        self.segment.writeString(String(octets))
        self.segment.writeStaticString(form == .synchronizing ? "}\r\n" : "+}\r\n")
        guard form == .synchronizing else { return }
        self.complete.append(self.segment)
        self.segment = ByteBuffer()
    }
}
