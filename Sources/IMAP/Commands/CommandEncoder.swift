package import struct NIOCore.ByteBuffer

/// How literals are announced to a server.
package enum LiteralForm: Equatable, Sendable {
    /// `{5}`: the server asks for the octets with `+`.
    case synchronizing
    /// `{5+}` (RFC 7888).
    case nonSynchronizing
}

/// Writes one command to a server, from values, in one canonical form.
///
/// Each element is preceded by a space where one is due. A string is an atom where it can be, a
/// quoted string where that is unambiguous, else a literal; no CR, LF or NUL leaves outside a
/// literal, and no line ends in something that looks like a literal's announcement.
package struct CommandEncoder {
    /// A quoted string longer than this goes as a literal: servers bound their lines.
    private static let maximumQuotedOctets = 1_000

    private let literals: LiteralForm
    private var segment: ByteBuffer
    private var complete: [ByteBuffer] = []
    private var isAtStart = false

    package init(tag: ByteBuffer, literals: LiteralForm) {
        self.literals = literals
        self.segment = tag
    }

    /// Goes on with a command of which a part is sent already.
    package init(continuing literals: LiteralForm) {
        self.literals = literals
        self.segment = ByteBuffer()
    }

    /// The command with its line end, in segments: each but the first is sent after a `+`.
    package mutating func finish() -> [ByteBuffer] {
        self.segment.writeStaticString("\r\n")
        return self.finishWithoutLineEnd()
    }

    /// The segments of a command that goes on with octets sent otherwise.
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

    /// Words of the protocol, written in the source.
    package mutating func write(word: StaticString) {
        self.space()
        self.segment.writeStaticString(word)
    }

    package mutating func write(number: UInt64) {
        self.space()
        self.segment.writeString(String(number))
    }

    /// Octets that a parser of this module has checked or built.
    mutating func write(raw: ByteBuffer) {
        self.space()
        self.segment.writeImmutableBuffer(raw)
    }

    /// Octets that follow without a space.
    mutating func append(raw: ByteBuffer) {
        self.segment.writeImmutableBuffer(raw)
    }

    mutating func append(_ text: StaticString) {
        self.segment.writeStaticString(text)
    }

    /// An atom; what is none goes as a quoted string, which a server refuses.
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

    /// `(`; the next element follows without a space.
    mutating func open() {
        self.space()
        self.segment.writeInteger(UInt8(ascii: "("))
        self.isAtStart = true
    }

    mutating func close() {
        self.isAtStart = false
        self.segment.writeInteger(UInt8(ascii: ")"))
    }

    /// A mailbox's name in the server's own octets.
    package mutating func write(mailbox: ByteBuffer) {
        self.write(astring: mailbox)
    }

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

    /// A quoted string or a literal.
    package mutating func write(string: ByteBuffer) {
        let isPlain = string.readableBytesView.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        guard isPlain, string.readableBytes <= Self.maximumQuotedOctets else {
            return self.write(literal: string)
        }
        self.write(quoted: Array(string.readableBytesView))
    }

    /// A quoted string; control octets are left out.
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
        self.announce(octets: UInt64(literal.readableBytes), isLiteral8: false)
        self.segment.writeImmutableBuffer(literal)
    }

    /// The announcement of a literal; behind it a synchronising server has to say `+`.
    package mutating func announce(octets: UInt64, isLiteral8: Bool) {
        self.space()
        if isLiteral8 { self.segment.writeInteger(UInt8(ascii: "~")) }
        self.segment.writeInteger(UInt8(ascii: "{"))
        self.segment.writeString(String(octets))
        self.segment.writeStaticString(self.literals == .synchronizing ? "}\r\n" : "+}\r\n")
        guard self.literals == .synchronizing else { return }
        self.complete.append(self.segment)
        self.segment = ByteBuffer()
    }
}
