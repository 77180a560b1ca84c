package import struct NIOCore.ByteBuffer

/// A mail server's reply to a command (RFC 5321 §4.2).
package struct ServerReply: Equatable, Sendable {
    /// The reply code, 200 to 599.
    package var code: Int
    /// The text of each line without the code: printable ASCII, truncated if it is too long.
    package var lines: [String]

    package init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// Whether the code is 2xx.
    package var isPositive: Bool { self.code >= 200 && self.code < 300 }
    /// Whether the server accepted a command of a transaction: 250 to 252 (RFC 5321 §4.3.2). Other codes
    /// of this class do not answer such a command; 221 says that the server closes the connection.
    package var isAcceptance: Bool { (250...252).contains(self.code) }
    /// Whether the server refused a command and remains connected: 4xx or 5xx, except 421 (RFC 5321 §3.8).
    package var isRefusal: Bool { self.code >= 400 && self.code != 421 }
    /// Whether the code is 5xx.
    package var isPermanent: Bool { self.code >= 500 }
}

/// A reader that splits a mail server's octets into replies.
package struct ServerReplyReader: Sendable {
    /// The longest line, in octets; RFC 5321 §4.5.3.1.5 has 512.
    private static let maximumLineOctets = 2_048
    /// The most lines of a reply: a reply to EHLO has about fifteen.
    private static let maximumLines = 64
    /// The most octets of a line's text that are kept.
    private static let maximumTextOctets = 400

    private var input = ByteBuffer()
    private var lines: [String] = []
    private var code: Int?

    package init() {}

    /// The number of octets that are not yet part of a reply.
    package var bufferedOctets: Int { self.input.readableBytes }

    /// Appends octets from the server.
    package mutating func receive(_ octets: ByteBuffer) {
        if self.input.readableBytes == 0 {
            self.input = octets
        } else {
            if self.input.readerIndex > 0 { self.input.discardReadBytes() }
            self.input.writeImmutableBuffer(octets)
        }
    }

    /// Octets that are not part of an answer yet; they are taken out.
    package mutating func takeBuffered() -> ByteBuffer {
        defer { self.input = ByteBuffer() }
        return self.input
    }

    /// The next whole answer.
    ///
    ///     Reply-line = *(Reply-code "-" [textstring] CRLF) Reply-code [SP textstring] CRLF
    ///
    /// - Throws: `malformedReply` for an invalid reply, or one with different codes.
    package mutating func next() throws(SubmissionError) -> ServerReply? {
        while true {
            guard let end = self.input.readableBytesView.firstIndex(of: .lineFeed) else {
                guard self.input.readableBytes <= Self.maximumLineOctets else {
                    throw .malformedReply
                }
                // A connection that waits must not hold the buffer of what it has read.
                if self.input.readableBytes == 0 { self.input = ByteBuffer() }
                return nil
            }
            let length = end - self.input.readerIndex
            guard length <= Self.maximumLineOctets,
                let line = self.input.readBytes(length: length + 1)?.dropLast(),
                line.last == .carriageReturn
            else { throw .malformedReply }
            if let reply = try self.line(line.dropLast()) { return reply }
        }
    }

    /// The text with a question mark for each octet that is not printable ASCII.
    private static func printable(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(where: { $0 < 0x20 || $0 >= 0x7F }) else { return text }
        return text.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }[...]
    }

    private mutating func line(_ line: ArraySlice<UInt8>) throws(SubmissionError) -> ServerReply? {
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy(\.isDigit), self.lines.count < Self.maximumLines
        else { throw .malformedReply }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard (200..<600).contains(code), self.code == nil || self.code == code else {
            throw .malformedReply
        }
        let rest = line.dropFirst(3)
        let mark = rest.first ?? 0x20
        guard mark == 0x20 || mark == UInt8(ascii: "-") else { throw .malformedReply }
        let text = rest.dropFirst().prefix(Self.maximumTextOctets)
        self.lines.append(String(decoding: Self.printable(text), as: UTF8.self))
        guard mark == 0x20 else {
            self.code = code
            return nil
        }
        defer {
            self.lines = []
            self.code = nil
        }
        return ServerReply(code: code, lines: self.lines)
    }
}
