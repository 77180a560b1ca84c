package import struct NIOCore.ByteBuffer
package import struct NIOCore.ByteBufferAllocator

/// A message as it arrives: by DATA with dot-stuffing, or by BDAT.
///
/// Only CR LF ends a line, and only CR LF `.` CR LF ends DATA (RFC 5321 §4.1.1.4, §2.3.8). A bare
/// CR, a bare LF or a NUL breaks the message: no more octets are passed on, and the rest is
/// discarded up to its end, so that no octet of it is read as a command.
package struct MessageStream {
    /// The framing of the message.
    package enum Form: Equatable, Sendable {
        /// DATA, with dot-stuffing (RFC 5321 §4.5.2).
        case dotted
        /// BDAT, with a size for each chunk (RFC 3030 §2).
        case chunked
    }

    /// A part of the message.
    package enum Piece: Equatable, Sendable {
        /// Octets of the message, without dot-stuffing.
        case octets(ByteBuffer)
        /// The end of the message; commands follow.
        case end
    }

    /// The position relative to the last line end.
    private enum State {
        case lineStart
        case dot
        case dotThenReturn
        case text
        case carriageReturn
    }

    private let form: Form
    private var state = State.lineStart
    /// Whether the message is broken and must be refused.
    package private(set) var isBroken = false
    /// The number of octets that were passed on.
    package private(set) var count: UInt64 = 0

    package init(_ form: Form) {
        self.form = form
    }

    /// Whether the last octet ended a line.
    package var isAtLineStart: Bool { self.state == .lineStart }

    /// Reads the next part.
    ///
    /// - Returns: nil when the input is consumed and there is nothing to report.
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

    /// The result of a scan: octets `start..<end` are passed on, `length` octets are consumed.
    private struct Taken {
        var start = 0
        var end = 0
        var length = 0
        var isEnd = false
    }

    /// Scans up to the first stuffed dot, the end, or an error.
    private mutating func scan(_ input: ByteBuffer) -> Taken {
        var taken = Taken()
        var state = self.state
        let isDotted = self.form == .dotted
        input.withUnsafeReadableBytes { octets in
            var index = 0
            // Octets before this one are consumed but not passed on.
            var start = 0
            loop: while index < octets.count {
                let octet = octets[index]
                switch state {
                case .text:
                    if octet > .carriageReturn {
                        // The octets that end a line or break the message are not greater.
                        let end = UInt8.carriageReturn + 1
                        index = octets.firstIndex(below: end, from: index + 1)
                        continue loop
                    }
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
                        // Pass on the octets before the dot first, without the dot.
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

    /// Discards octets of a broken message.
    /// - Returns: whether its end was found.
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

/// The dot-stuffing of a message for DATA: a dot at the start of a line is doubled (RFC 5321
/// §4.5.2).
package struct DotStuffing {
    private var isAtLineStart = true

    package init() {}

    /// Stuffs octets. Octets without such a dot are not copied. Others are copied into one buffer:
    /// a buffer for each line would cause a write to the channel for each.
    package mutating func stuff(_ octets: ByteBuffer) -> ByteBuffer {
        guard let last = octets.readableBytesView.last else { return octets }
        let wasAtLineStart = self.isAtLineStart
        self.isAtLineStart = last == .lineFeed
        return octets.withUnsafeReadableBytes { source in
            guard var dot = Self.dot(in: source, from: 0, wasAtLineStart: wasAtLineStart) else {
                return octets
            }
            var stuffed = ByteBuffer()
            // At most every third octet is such a dot, and most messages have few.
            stuffed.reserveCapacity(source.count + source.count / 8 + 1)
            var start = 0
            while true {
                stuffed.writeBytes(source[start..<dot])
                stuffed.writeInteger(UInt8(ascii: "."))
                start = dot
                guard let next = Self.dot(in: source, from: dot + 1, wasAtLineStart: wasAtLineStart)
                else { break }
                dot = next
            }
            stuffed.writeBytes(source[start...])
            return stuffed
        }
    }

    /// Stuffs a piece of a dotted ``MessageStream``. Only its first octet can be a dot at the start of
    /// a line, because such a dot always begins a piece.
    package mutating func stuff(piece octets: ByteBuffer) -> ByteBuffer {
        let view = octets.readableBytesView
        guard let first = view.first, let last = view.last else { return octets }
        let needsDot = self.isAtLineStart && first == UInt8(ascii: ".")
        self.isAtLineStart = last == .lineFeed
        guard needsDot else { return octets }
        var stuffed = ByteBufferAllocator().buffer(capacity: view.count + 1)
        stuffed.writeInteger(UInt8(ascii: "."))
        stuffed.writeImmutableBuffer(octets)
        return stuffed
    }

    /// The next dot at the start of a line, from `from` on.
    private static func dot(
        in octets: UnsafeRawBufferPointer,
        from: Int,
        wasAtLineStart: Bool
    ) -> Int? {
        // Messages have few dots: check the octet before each one.
        var dot = octets.firstIndex(of: UInt8(ascii: "."), from: from)
        while dot < octets.count {
            if dot == 0 ? wasAtLineStart : octets[dot - 1] == .lineFeed { return dot }
            dot = octets.firstIndex(of: UInt8(ascii: "."), from: dot + 1)
        }
        return nil
    }
}
