/// A resumable search for the end of a line: it examines each octet once.
struct LineScan {
    /// Where the search stopped, in octets from the start of the command, without dropped octets.
    private(set) var position = 0
    /// Whether the position is inside a quoted string.
    private(set) var isQuoted = false
    /// The error that stopped the search.
    private(set) var failure: SyntaxError.Reason?
    private var isEscaped = false
    private var hasStarted = false

    /// Continues the search.
    ///
    /// - Parameters:
    ///   - start: the start of the line.
    ///   - maximum: the longest line, in octets.
    ///   - quotes: whether quotes are interpreted.
    /// - Returns: the position of CR LF; nil if it has not arrived, or after a failure.
    mutating func run(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        maximum: Int,
        quotes: Bool
    ) -> Int? {
        if !self.hasStarted {
            self.position = start
            self.hasStarted = true
        }
        while self.position < octets.count {
            let octet = octets[self.position]
            if octet == 0x0D {
                guard self.position + 1 < octets.count else { return nil }
                guard octets[self.position + 1] == 0x0A else { return self.fail(.malformedLineEnd) }
                return self.position
            }
            if octet == 0x0A { return self.fail(.malformedLineEnd) }
            if octet == 0 { return self.fail(.controlOctet) }
            if self.isEscaped {
                self.isEscaped = false
            } else if octet == UInt8(ascii: "\""), quotes {
                self.isQuoted.toggle()
            } else if octet == UInt8(ascii: "\\"), self.isQuoted {
                self.isEscaped = true
            }
            self.position += 1
            if self.position - start > maximum { return self.fail(.lineTooLong) }
        }
        return nil
    }

    /// Continues a search that stopped because the line is too long.
    mutating func resume() {
        self.failure = nil
    }

    /// Adjusts the position after octets before it were dropped from the buffer.
    mutating func forget(_ count: Int) {
        self.position -= count
    }

    private mutating func fail(_ reason: SyntaxError.Reason) -> Int? {
        self.failure = reason
        return nil
    }
}
