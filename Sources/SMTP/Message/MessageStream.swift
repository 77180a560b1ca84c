package import struct NIOCore.ByteBuffer

/// A message on its way in, as its octets arrive: by DATA with stuffed dots, or by BDAT.
///
/// The only line end is CR LF, and the only end of DATA is CR LF `.` CR LF (RFC 5321 §4.1.1.4,
/// §2.3.8). A bare CR, a bare LF or a NUL breaks the message: nothing of it comes out any more,
/// and what follows is read to its end and thrown away, so that no octet of it is taken for a
/// command.
package struct MessageStream {
    package enum Form: Equatable, Sendable {
        case dotted
        case chunked
    }

    package enum Piece: Equatable, Sendable {
        /// Octets of the message, with dots unstuffed.
        case octets(ByteBuffer)
        /// The message is complete; what follows is commands.
        case end
    }

    private enum State {
        case lineStart
        case dot
        case dotThenReturn
        case text
        case carriageReturn
    }

    private let form: Form
    private var state = State.lineStart
    /// Whether the message broke a rule, so that it must be refused.
    package private(set) var isBroken = false
    /// Octets that came out so far.
    package private(set) var count: UInt64 = 0

    package init(_ form: Form) {
        self.form = form
    }

    /// Whether the last octet so far ended a line.
    package var isAtLineStart: Bool { self.state == .lineStart }

    /// Takes as much of `input` as belongs together.
    ///
    /// - Returns: nil when everything is taken and nothing is to be said.
    package mutating func next(_ input: inout ByteBuffer) -> Piece? {
        while input.readableBytes > 0 {
            if self.isBroken {
                guard self.skip(&input) else { return nil }
                return .end
            }
            let taken = self.scan(input)
            var piece = input.readSlice(length: taken.length) ?? ByteBuffer()
            piece.moveReaderIndex(forwardBy: taken.start)
            piece.moveWriterIndex(to: piece.readerIndex + taken.end - taken.start)
            if taken.isEnd { return .end }
            guard !self.isBroken, piece.readableBytes > 0 else { continue }
            self.count += UInt64(piece.readableBytes)
            return .octets(piece)
        }
        return nil
    }

    /// What one look at the input found: octets `start..<end` come out, `length` are consumed.
    private struct Taken {
        var start = 0
        var end = 0
        var length = 0
        var isEnd = false
    }

    /// Reads up to the first dot that is not part of the message, to the end, or to a fault.
    private mutating func scan(_ input: ByteBuffer) -> Taken {
        var taken = Taken()
        var state = self.state
        let isDotted = self.form == .dotted
        input.withUnsafeReadableBytes { octets in
            var index = 0
            // Octets before this one are consumed and do not come out.
            var start = 0
            loop: while index < octets.count {
                let octet = octets[index]
                switch state {
                case .text:
                    if octet > 0x0D { break }
                    if octet == .carriageReturn {
                        state = .carriageReturn
                    } else if octet == .lineFeed || octet == 0 {
                        self.isBroken = true
                        break loop
                    }
                case .carriageReturn:
                    guard octet == .lineFeed else {
                        self.isBroken = true
                        break loop
                    }
                    state = .lineStart
                case .lineStart:
                    if isDotted, octet == UInt8(ascii: ".") {
                        // What came before goes out first; the dot does not.
                        if index > start { break loop }
                        state = .dot
                        start = index + 1
                    } else if octet == .carriageReturn {
                        state = .carriageReturn
                    } else if octet == .lineFeed || octet == 0 {
                        self.isBroken = true
                        break loop
                    } else {
                        state = .text
                    }
                case .dot:
                    if octet == .carriageReturn {
                        state = .dotThenReturn
                        start = index + 1
                    } else if octet == .lineFeed || octet == 0 {
                        self.isBroken = true
                        break loop
                    } else {
                        state = .text
                    }
                case .dotThenReturn:
                    guard octet == .lineFeed else {
                        self.isBroken = true
                        break loop
                    }
                    index += 1
                    start = index
                    taken.isEnd = true
                    state = .lineStart
                    break loop
                }
                index += 1
            }
            taken.start = start
            taken.end = index
            taken.length = index
        }
        self.state = state
        return taken
    }

    /// Throws octets of a broken message away.
    /// - Returns: whether its end was among them.
    private mutating func skip(_ input: inout ByteBuffer) -> Bool {
        guard self.form == .dotted else {
            input.moveReaderIndex(to: input.writerIndex)
            return false
        }
        while let octet: UInt8 = input.readInteger() {
            switch (self.state, octet) {
            case (.carriageReturn, .lineFeed): self.state = .lineStart
            case (.dotThenReturn, .lineFeed):
                self.state = .lineStart
                return true
            case (.lineStart, UInt8(ascii: ".")): self.state = .dot
            case (.dot, .carriageReturn): self.state = .dotThenReturn
            case (_, .carriageReturn): self.state = .carriageReturn
            default: self.state = .text
            }
        }
        return false
    }
}

/// Doubles the dots that begin a line (RFC 5321 §4.5.2).
package struct DotStuffing {
    private var isAtLineStart = true

    package init() {}

    /// The octets as they go into DATA. Octets without such a dot are not copied; any others are copied into one
    /// buffer: a buffer for each line would be a write to the channel for each.
    package mutating func stuff(_ octets: ByteBuffer) -> ByteBuffer {
        guard let last = octets.readableBytesView.last else { return octets }
        let wasAtLineStart = self.isAtLineStart
        self.isAtLineStart = last == .lineFeed
        return octets.withUnsafeReadableBytes { source in
            guard var dot = Self.dot(in: source, from: 0, wasAtLineStart) else { return octets }
            var stuffed = ByteBuffer()
            // At most every third octet is such a dot, and most messages that have any have few.
            stuffed.reserveCapacity(source.count + source.count / 8 + 1)
            var start = 0
            while true {
                stuffed.writeBytes(source[start..<dot])
                stuffed.writeInteger(UInt8(ascii: "."))
                start = dot
                guard let next = Self.dot(in: source, from: dot + 1, wasAtLineStart) else { break }
                dot = next
            }
            stuffed.writeBytes(source[start...])
            return stuffed
        }
    }

    /// The next dot that begins a line, at `from` or behind it.
    private static func dot(
        in octets: UnsafeRawBufferPointer,
        from: Int,
        _ wasAtLineStart: Bool
    ) -> Int? {
        var from = from
        // A message has few dots; each is looked at for the line end before it.
        while from < octets.count, let dot = octets[from...].firstIndex(of: UInt8(ascii: ".")) {
            if dot == 0 ? wasAtLineStart : octets[dot - 1] == .lineFeed { return dot }
            from = dot + 1
        }
        return nil
    }
}
